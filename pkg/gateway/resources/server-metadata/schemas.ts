import { KEY_PATTERN, object, required, text } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const items = { patterns: { [KEY_PATTERN]: text({ maxLength: 255 }) } };
export const metadataBody: Node = object([required("metadata", object([], items))]);
export const metadataItemBody: Node = object([
  required("meta", object([], { ...items, minProperties: 1, maxProperties: 1 })),
]);
