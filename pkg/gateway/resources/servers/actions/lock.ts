import { textOf } from "../../../http/fields.js";
import { since, until } from "../../../microversion/version.js";
import { anything, object, optional, required, text } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

const reason = optional("locked_reason", text({ minLength: 1, maxLength: 255 }));
/** Before it the value means nothing, whatever it is. */
const withReason = since("2.73");

const lock: ActionBody = {
  key: "lock",
  body: object([
    required("lock", anything, until("2.72")),
    required("lock", object([reason], { nullable: true }), withReason),
  ]),
  fields: (request) =>
    request.has(withReason) ? { reason: textOf(request.member("lock"), "locked_reason") } : {},
};
export default lock;
