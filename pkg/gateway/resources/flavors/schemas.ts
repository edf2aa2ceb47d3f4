import {
  MAX_INT,
  boolean,
  choice,
  description,
  fixed,
  integer,
  looseName,
  name,
  object,
  optional,
  parameter,
  query,
  required,
  text,
} from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";
import { pageParameters } from "../../http/paging.js";
import { since, until } from "../../microversion/version.js";
import { sortFields } from "./request.js";

const FLAVOR_ID = "^(?! )[a-zA-Z0-9. _-]+(?<! )$";
const size = integer({ min: 0, max: MAX_INT });
const positive = integer({ min: 1, max: MAX_INT });

export const createFlavorBody: Node = object([
  required(
    "flavor",
    object([
      required("name", name, { legacy: "never" }),
      required("name", looseName, { legacy: "only" }),
      optional(
        "id",
        fixed({ type: ["string", "number", "null"], minLength: 1, maxLength: 255, pattern: FLAVOR_ID }),
      ),
      required("ram", positive),
      required("vcpus", positive),
      required("disk", size),
      optional("OS-FLV-EXT-DATA:ephemeral", size),
      optional("swap", size),
      optional(
        "rxtx_factor",
        fixed({
          type: ["number", "string"],
          pattern: "^[0-9]+(\\.[0-9]+)?$",
          numericMinimum: 0,
          numericMaximum: 3.40282e38,
        }),
        until("2.101"),
      ),
      optional("os-flavor-access:is_public", boolean),
      optional("description", description(65_535), since("2.55")),
    ]),
  ),
]);

export const updateFlavorBody: Node = object([
  required("flavor", object([required("description", description(65_535))])),
]);

const sortable = [...sortFields.keys()].filter((key) => key !== "rxtx_factor");

export const listFlavorsQuery: Node = query(since("2.75"), [
  ...pageParameters(),
  parameter("is_public", text()),
  parameter("minRam", text()),
  parameter("minDisk", text()),
  parameter("sort_key", choice(...sortable, "rxtx_factor"), { span: until("2.101") }),
  parameter("sort_key", choice(...sortable), { span: since("2.102") }),
  parameter("sort_dir", choice("asc", "desc")),
  parameter("name", text(), { span: since("2.102") }),
]);

/** Reads without parameters. */
export const noParameters: Node = query(since("2.102"));
