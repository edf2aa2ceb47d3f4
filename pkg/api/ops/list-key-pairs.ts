import type {
  ListKeyPairsRequest,
  ListKeyPairsResponse,
} from "../../../gen/kilonova/api/v1/key_pairs_service.js";
import { rowsOf } from "../domain/page.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { paging } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { theUser } from "./get-key-pair.js";

/** Lists the key pairs of one user by name. */
export const listKeyPairs = (parts: Parts): Guarded<ListKeyPairsRequest, ListKeyPairsResponse> =>
  guarded({ ...paging, userId: given(text()) }, theUser, async (ctx, request, { userId }) => {
    const pages = sealedPaging(parts.tokens, ["key-pairs", userId]);
    const page = await parts.global.listStoredKeyPairs(ctx, {
      ...request,
      userId,
      pageSize: rowsOf(request.pageSize),
      marker: ctx.nova.marker,
      pageToken: pages.open(request.pageToken),
    });
    return { ...page, nextPageToken: pages.seal(page.nextPageToken) };
  });
