import type { RebuildServerResponse } from "../../../../../gen/kilonova/api/v1/server_actions.js";
import type { ApiRequest, Reply } from "../../../http/api-request.js";
import { replyJson } from "../../../http/api-request.js";
import { booleanOf, mapOf, member, objectOf, textOf, textsIn } from "../../../http/fields.js";
import { since } from "../../../microversion/version.js";
import { boolean, nullableText, object, optional, required, text, uuid } from "../../../schema/nodes.js";
import { required as filled } from "../../required.js";
import { diskConfigOf, filesOf, userDataOf } from "../create-request.js";
import { editable, metadataOfServer, nameFields, personality, trustedCertificates } from "../schemas.js";
import { serverView } from "../view.js";
import type { ActionBody } from "./action.js";

const view = serverView("rebuild");

const anew = object([
  required("imageRef", uuid),
  ...nameFields("name", optional),
  ...editable,
  optional("adminPass", text()),
  optional("metadata", metadataOfServer),
  optional("preserve_ephemeral", boolean),
  personality,
  optional("key_name", nullableText({ minLength: 1, maxLength: 255 }), since("2.54")),
  optional("user_data", nullableText({ format: "base64", maxLength: 65_535 }), since("2.57")),
  trustedCertificates,
]);

/** From here on the image is written over a root volume; before, such a volume stays as it is. */
const reimages = since("2.93");

/** Fields of the body, each with its path in the request's mask. */
const PATHS = {
  name: "name",
  description: "description",
  hostname: "hostname",
  metadata: "metadata",
  key_name: "key_name",
  user_data: "user_data",
  "OS-DCF:diskConfig": "disk_config",
  accessIPv4: "access_ip_v4",
  accessIPv6: "access_ip_v6",
  trusted_image_certificates: "trusted_image_certificates",
} as const;

/** Absent fields stay as they are, null ones are taken away. */
const rebuild: ActionBody = {
  key: "rebuild",
  body: object([required("rebuild", anew)]),
  legacyBody: true,
  fields: (request) => {
    const body = request.member("rebuild");
    return {
      imageId: textOf(body, "imageRef") ?? "",
      adminPassword: textOf(body, "adminPass") || undefined,
      preserveEphemeral: booleanOf(body, "preserve_ephemeral") ?? false,
      reimageRootVolume: request.has(reimages),
      files: filesOf(body),
      server: {
        name: textOf(body, "name")?.trim() ?? "",
        description: textOf(body, "description"),
        hostname: textOf(body, "hostname") ?? "",
        metadata: mapOf(objectOf(body, "metadata")),
        keyName: textOf(body, "key_name"),
        userData: userDataOf(body),
        diskConfig: diskConfigOf(body),
        accessIpV4: textOf(body, "accessIPv4") || undefined,
        accessIpV6: textOf(body, "accessIPv6") || undefined,
        trustedImageCertificates: textsIn(body, "trusted_image_certificates"),
      },
      updateMask: Object.entries(PATHS).flatMap(([key, path]) =>
        member(body, key) === undefined ? [] : [path],
      ),
    };
  },
  reply: (request, answer) => shown(request, answer as RebuildServerResponse),
};
export default rebuild;

function shown(request: ApiRequest, answer: RebuildServerResponse): Reply {
  const server = filled(answer.server, "server");
  const { adminPassword } = answer;
  const rendered = view.shape(request.version, answer.hiddenFields).render(server, request.links);
  return replyJson(
    { server: { ...rendered, ...(adminPassword === undefined ? {} : { adminPass: adminPassword }) } },
    { location: request.links.self("servers", server.id) },
  );
}
