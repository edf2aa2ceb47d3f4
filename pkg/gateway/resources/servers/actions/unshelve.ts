import { member, textOf } from "../../../http/fields.js";
import { between, since, until } from "../../../microversion/version.js";
import { anything, name, nullableText, object, optional, required, text } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

const ZONE = "availability_zone";

/** Up to 2.76 its value means nothing, whatever it is; up to 2.90 an object names a zone. */
const unshelve: ActionBody = {
  key: "unshelve",
  body: object([
    required("unshelve", anything, until("2.76")),
    required("unshelve", object([required(ZONE, name)], { nullable: true }), between("2.77", "2.90")),
    required(
      "unshelve",
      object([optional(ZONE, nullableText()), optional("host", text())], { nullable: true }),
      since("2.91"),
    ),
  ]),
  fields: (request) => {
    const asked = request.has(since("2.77")) ? request.member("unshelve") : {};
    return {
      // Null, from 2.91 on, is no zone.
      availabilityZone: member(asked, ZONE) === undefined ? undefined : (textOf(asked, ZONE) ?? ""),
      host: textOf(asked, "host") || undefined,
    };
  },
};
export default unshelve;
