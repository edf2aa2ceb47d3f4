import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyEmpty, replyJson } from "../../http/api-request.js";
import { mapOf, objectOf } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { since, until } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import { GatewayErrors } from "../../errors.js";

/** From here on the image's id stands in the body, and no header says where the image is. */
const idInBody = since("2.45");
/** As long as this API knew about images, its quota of metadata counted for them. */
const metadataCounted = until("2.38");

/** What is answered when an image is being made. @param isKept  false: nobody is told where it is */
export function imageReply(request: ApiRequest, answer: unknown, isKept = true): Reply {
  const imageId = (answer as { readonly imageId?: string }).imageId ?? "";
  if (request.has(idInBody)) return replyJson({ image_id: imageId });
  return isKept ? { location: request.links.bookmark("images", imageId) } : replyEmpty;
}

/** @throws IMAGE_METADATA_LIMIT */
export async function requireImageQuota(
  request: ApiRequest,
  { limits }: Pick<ApiClients, "limits">,
  asked: JsonObject,
): Promise<void> {
  const { size } = mapOf(objectOf(asked, "metadata"));
  if (!request.has(metadataCounted) || size === 0) return;
  const answer = await limits.getLimits(request.ctx, {});
  const most = Number(answer.limits.find(({ name }) => name === "metadata_items")?.limit ?? -1);
  if (most >= 0 && size > most) throw GatewayErrors.IMAGE_METADATA_LIMIT({});
}
