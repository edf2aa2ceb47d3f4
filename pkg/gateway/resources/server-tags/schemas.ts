import { never } from "../../microversion/version.js";
import { array, nothing, object, query, required, tag } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

export const tagsBody: Node = object([required("tags", array(tag, { maxItems: 50 }))]);
export const noBody: Node = nothing;
/** Unknown parameters are never refused here. */
export const anyParameters: Node = query(never);
