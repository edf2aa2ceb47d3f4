import { between, since } from "../../microversion/version.js";
import { choice, object, query, required } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const oldProtocols = ["vnc", "spice", "serial", "rdp"] as const;
const oldTypes = ["novnc", "xvpvnc", "rdp-html5", "spice-html5", "serial"] as const;
const types = [...oldTypes, "webmks"] as const;

export const remoteConsoleBody: Node = object([
  required(
    "remote_console",
    object([
      required("protocol", choice(...oldProtocols), between("2.6", "2.7")),
      required("protocol", choice(...oldProtocols, "mks"), since("2.8")),
      required("type", choice(...oldTypes), between("2.6", "2.7")),
      required("type", choice(...types), between("2.8", "2.98")),
      required("type", choice(...types, "spice-direct"), since("2.99")),
    ]),
  ),
]);

/** The body of an action that asks for one of these types. */
export const consoleActionBody = (key: string, words: readonly string[]): Node =>
  object([required(key, object([required("type", choice(...words))]))]);

export const tokenParameters: Node = query(since("2.99"));
