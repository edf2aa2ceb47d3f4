import type { RescueServerResponse } from "../../../../../gen/kilonova/api/v1/server_actions.js";
import { replyJson } from "../../../http/api-request.js";
import { textOf } from "../../../http/fields.js";
import { object, optional, required, text, uuid } from "../../../schema/nodes.js";
import type { ActionBody } from "./action.js";

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
  }),
  reply: (_request, answer) => {
    const { adminPassword } = answer as RescueServerResponse;
    return replyJson(adminPassword === undefined ? {} : { adminPass: adminPassword });
  },
};
export default rescue;
