import { textOf } from "../../../http/fields.js";
import { since, until } from "../../../microversion/version.js";
import { anything, nullableText, object, optional, required } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

/** Before it the value means nothing, whatever it is. */
const toHost = since("2.56");
const host = nullableText({ minLength: 1, maxLength: 255, pattern: "^[a-zA-Z0-9\\-._]*$" });

const migrate: ActionBody = {
  key: "migrate",
  body: object([
    required("migrate", anything, until("2.55")),
    required("migrate", object([optional("host", host)], { nullable: true }), toHost),
  ]),
  fields: (request) => (request.has(toHost) ? { host: textOf(request.member("migrate"), "host") } : {}),
};
export default migrate;
