import {
  array,
  hostName,
  KEY_PATTERN,
  looseName,
  name,
  nullableText,
  object,
  oneOf,
  optional,
  required,
  nothing,
  text,
  uuid,
} from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const zone: Node = oneOf(text({ minLength: 1, maxLength: 255, format: "az_name" }), nothing);
const looseZone: Node = oneOf(
  text({ minLength: 1, maxLength: 255, format: "az_name_with_leading_trailing_spaces" }),
  nothing,
);

export const createAggregateBody: Node = object([
  required(
    "aggregate",
    object([
      required("name", name, { legacy: "never" }),
      required("name", looseName, { legacy: "only" }),
      optional("availability_zone", zone, { legacy: "never" }),
      optional("availability_zone", looseZone, { legacy: "only" }),
    ]),
  ),
]);

const change = object([
  optional("name", looseName),
  optional("availability_zone", zone, { legacy: "never" }),
  optional("availability_zone", looseZone, { legacy: "only" }),
]);
export const updateAggregateBody: Node = object([
  required("aggregate", (env) => ({
    ...change(env),
    anyOf: [{ required: ["name"] }, { required: ["availability_zone"] }],
  })),
]);

const host = object([required("host", hostName)]);
export const addHostBody: Node = object([required("add_host", host)]);
export const removeHostBody: Node = object([required("remove_host", host)]);
export const setMetadataBody: Node = object([
  required(
    "set_metadata",
    object([
      required("metadata", object([], { patterns: { [KEY_PATTERN]: nullableText({ maxLength: 255 }) } })),
    ]),
  ),
]);

export const cacheImagesBody: Node = object([
  required("cache", array(object([required("id", uuid)]), { minItems: 1 })),
]);
