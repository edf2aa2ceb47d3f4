import { fixed, KEY_PATTERN, object, required } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const specValue = fixed({ type: ["string", "number"], maxLength: 255 });
export const extraSpecsBody: Node = object([
  required("extra_specs", object([], { patterns: { [KEY_PATTERN]: specValue } })),
]);
export const extraSpecBody: Node = object([], {
  patterns: { [KEY_PATTERN]: specValue },
  minProperties: 1,
  maxProperties: 1,
});
