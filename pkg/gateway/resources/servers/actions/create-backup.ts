import { countOf, mapOf, objectOf, textOf } from "../../../http/fields.js";
import { integer, object, optional, required, text } from "../../../schema/nodes.js";
import { imageReply, requireImageQuota } from "../image-action.js";
import { metadataOfServer, nameFields } from "../schemas.js";
import type { ActionBody } from "./action.js";

const createBackup: ActionBody = {
  key: "createBackup",
  body: object([
    required(
      "createBackup",
      object([
        ...nameFields("name", required),
        required("backup_type", text()),
        required("rotation", integer({ min: 0, max: "cut", pattern: "^[0-9]*$" })),
        optional("metadata", metadataOfServer),
      ]),
    ),
  ]),
  check: (request, clients) => requireImageQuota(request, clients, request.member("createBackup")),
  fields: (request) => {
    const asked = request.member("createBackup");
    return {
      name: (textOf(asked, "name") ?? "").trim(),
      backupType: textOf(asked, "backup_type") ?? "",
      rotation: countOf(asked, "rotation") ?? 0,
      metadata: mapOf(objectOf(asked, "metadata")),
    };
  },
  // What is not kept is nowhere to be found.
  reply: (request, answer) =>
    imageReply(request, answer, (countOf(request.member("createBackup"), "rotation") ?? 0) > 0),
};
export default createBackup;
