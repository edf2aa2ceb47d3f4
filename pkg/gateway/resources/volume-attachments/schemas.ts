import { limitNode, offsetNode } from "../../http/paging.js";
import { never, since } from "../../microversion/version.js";
import {
  boolean,
  nullableText,
  object,
  optional,
  parameter,
  query,
  required,
  tag,
  uuid,
} from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

export const listQuery: Node = query(since("2.75"), [
  parameter("limit", limitNode),
  parameter("offset", offsetNode),
]);

/** What it does not know, this one route never minds. */
export const anyParameters: Node = query(never);

const device = nullableText({ pattern: "(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$" });

export const updateBody: Node = object([
  required(
    "volumeAttachment",
    object([
      required("volumeId", uuid),
      optional("device", device, since("2.85")),
      optional("tag", tag, since("2.85")),
      optional("delete_on_termination", boolean, since("2.85")),
      optional("serverId", uuid, since("2.85")),
      optional("id", uuid, since("2.85")),
    ]),
  ),
]);

export const attachBody: Node = object([
  required(
    "volumeAttachment",
    object([
      required("volumeId", uuid),
      optional("device", device),
      optional("tag", tag, since("2.49")),
      optional("delete_on_termination", boolean, since("2.79")),
    ]),
  ),
]);
