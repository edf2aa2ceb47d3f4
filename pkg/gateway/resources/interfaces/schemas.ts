import { since } from "../../microversion/version.js";
import { array, ipAddress, object, optional, query, required, tag, uuid } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

export const noParameters: Node = query(since("2.102"));

export const attachBody: Node = object([
  optional(
    "interfaceAttachment",
    object([
      optional("net_id", uuid),
      optional("port_id", uuid),
      optional("fixed_ips", array(object([required("ip_address", ipAddress)]), { minItems: 1, maxItems: 1 })),
      optional("tag", tag, since("2.49")),
    ]),
  ),
]);
