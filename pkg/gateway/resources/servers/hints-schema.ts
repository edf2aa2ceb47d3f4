import { array, fixed, ipAddress, name, object, oneOf, optional, text, uuid } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

/** One or several servers. */
const servers = oneOf(uuid, array(uuid));
const textOr = (type: string, more: Record<string, unknown> = {}): Node =>
  fixed({ type: ["string", type], ...more });

/** Wishes to the scheduler. Names that are not listed pass: filters of a deployment may know them. */
export const schedulerHints: Node = object(
  [
    optional("group", oneOf(array(uuid), uuid)),
    optional("different_host", servers),
    optional("same_host", textOr("array", { items: { type: "string", format: "uuid" } })),
    optional("query", textOr("object")),
    optional("target_cell", name),
    optional("different_cell", textOr("array", { items: { type: "string" } })),
    optional("build_near_host_ip", ipAddress),
    optional("cidr", text({ pattern: "^/[0-9a-f.:]+$" })),
  ],
  { extraKeys: true },
);
