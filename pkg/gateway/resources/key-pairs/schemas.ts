import { pageParameters } from "../../http/paging.js";
import { since, until } from "../../microversion/version.js";
import { choice, looseName, object, optional, parameter, query, required, text } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const keyName =
  (characters: string): Node =>
  () => ({
    type: "string",
    minLength: 1,
    maxLength: 255,
    format: "name",
    pattern: `^[${characters} a-zA-Z0-9]+$`,
  });

export const createKeyPairBody: Node = object([
  required(
    "keypair",
    object([
      required("name", keyName("_\\-"), { span: until("2.91"), legacy: "never" }),
      required("name", keyName("_\\-@."), since("2.92")),
      required("name", looseName, { legacy: "only" }),
      optional("public_key", text(), until("2.91")),
      required("public_key", text(), since("2.92")),
      optional("type", choice("ssh", "x509"), since("2.2")),
      optional("user_id", text(), since("2.10")),
    ]),
  ),
]);

const userId = parameter("user_id", text(), { span: since("2.10") });
/** From here on unknown parameters are refused. */
const strict = since("2.75");
export const keyPairQuery: Node = query(strict, [userId]);
export const listKeyPairsQuery: Node = query(strict, [userId, ...pageParameters({ span: since("2.35") })]);
