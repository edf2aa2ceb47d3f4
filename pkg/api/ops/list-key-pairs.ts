import type {
  ListKeyPairsRequest,
  ListKeyPairsResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { paging } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Lists the key pairs of one user by name. */
export const listKeyPairs = (parts: Parts): Unary<ListKeyPairsRequest, ListKeyPairsResponse> =>
  checked<ListKeyPairsRequest, ListKeyPairsResponse>({ ...paging, userId: text() }, async (ctx, request) => {
    const userId = request.userId || ctx.actor.userId;
    parts.policy.enforce(ctx.actor, "os_compute_api:os-keypairs:index", { user_id: userId });
    const pages = sealedPaging(parts.tokens, ["key-pairs", userId]);
    const page = await parts.global.listStoredKeyPairs(ctx, {
      ...request,
      userId,
      pageToken: pages.open(request.pageToken),
    });
    return { ...page, nextPageToken: pages.seal(page.nextPageToken) };
  });
