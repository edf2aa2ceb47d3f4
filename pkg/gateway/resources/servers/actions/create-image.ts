import { mapOf, objectOf, textOf } from "../../../http/fields.js";
import { object, optional, required } from "../../../schema/nodes.js";
import { imageReply, requireImageQuota } from "../image-action.js";
import { metadataOfServer, nameFields } from "../schemas.js";
import type { ActionBody } from "./action.js";

const createImage: ActionBody = {
  key: "createImage",
  body: object([
    required(
      "createImage",
      object([...nameFields("name", required), optional("metadata", metadataOfServer)]),
    ),
  ]),
  check: (request, clients) => requireImageQuota(request, clients, request.member("createImage")),
  fields: (request) => {
    const asked = request.member("createImage");
    return {
      name: (textOf(asked, "name") ?? "").trim(),
      metadata: mapOf(objectOf(asked, "metadata")),
    };
  },
  reply: (request, answer) => imageReply(request, answer),
};
export default createImage;
