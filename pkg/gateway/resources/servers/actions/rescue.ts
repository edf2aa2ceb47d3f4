import type { RescueServerResponse } from "../../../../../gen/kilonova/api/v1/server_actions.js";
import { replyJson } from "../../../http/api-request.js";
import { textOf } from "../../../http/fields.js";
import { since } from "../../../microversion/version.js";
import { object, optional, required, text, uuid } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

/** From here on also servers are rescued whose root disk is a volume. */
const ofVolumes = since("2.87");

const rescue: ActionBody = {
  key: "rescue",
  body: object([
    required(
      "rescue",
      object([optional("adminPass", text()), optional("rescue_image_ref", uuid)], { nullable: true }),
    ),
  ]),
  fields: (request) => ({
    imageId: textOf(request.member("rescue"), "rescue_image_ref"),
    adminPassword: textOf(request.member("rescue"), "adminPass") || undefined,
    volumeBacked: request.has(ofVolumes),
  }),
  reply: (_request, answer) => {
    const { adminPassword } = answer as RescueServerResponse;
    return replyJson(adminPassword === undefined ? {} : { adminPass: adminPassword });
  },
};
export default rescue;
