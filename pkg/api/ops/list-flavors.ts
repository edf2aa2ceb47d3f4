import type {
  ListFlavorsRequest,
  ListFlavorsResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { FlavorVisibility } from "../../../gen/kilonova/api/v1/flavors_service.js";
import { KilonovaError } from "../../kernel/index.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { ApiErrors } from "../errors.js";
import { paging, sort } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import { oneOf, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { flavorMaskOf, hiddenFlavorFields, presentFlavor } from "./flavor-access.js";

/**
 * Lists flavors. Only administrators choose the visibility; users see enabled public ones and those of their
 * project.
 */
export const listFlavors = (parts: Parts): Guarded<ListFlavorsRequest, ListFlavorsResponse> =>
  guarded(
    { ...paging, name: text(), visibility: oneOf(FlavorVisibility), sort },
    ownBy(() => "none"),
    async (ctx, request) => {
      const admin = ctx.rights.isAdmin;
      const { visibility, ...query } = request;
      const pages = sealedPaging(parts.tokens, [
        "flavors",
        { ...query, pageToken: "", pageSize: 0, marker: "" },
        admin ? visibility : "",
        ctx.actor.projectId,
      ]);
      const wanted = {
        ...query,
        pageToken: pages.open(request.pageToken),
        ...selection(admin ? visibility : FlavorVisibility.FLAVOR_VISIBILITY_PUBLIC),
        projectId: ctx.actor.projectId,
      };
      const { flavors, nextPageToken } = await parts.global
        .listStoredFlavors(ctx, wanted)
        .catch((error: unknown) => {
          // Stores speak of markers as key pairs do; Nova's lists of flavors have words of their own.
          if (error instanceof KilonovaError && error.reason === "MARKER_NOT_FOUND")
            throw ApiErrors.MARKER_NOT_FOUND({ marker: request.marker }, { cause: error });
          throw error;
        });
      const mask = flavorMaskOf(ctx);
      const shown = admin ? flavors : flavors.filter((flavor) => !flavor.disabled);
      return {
        flavors: shown.map((flavor) => presentFlavor(flavor, mask)),
        nextPageToken: pages.seal(nextPageToken),
        hiddenFields: hiddenFlavorFields(mask),
      };
    },
  );

/**
 * PUBLIC means what the caller's project may use, private ones with access included. @source Nova's flavor
 * query
 */
function selection(visibility: FlavorVisibility): { isPublic?: boolean; seeAll: boolean } {
  switch (visibility) {
    case FlavorVisibility.FLAVOR_VISIBILITY_ALL:
      return { seeAll: true };
    case FlavorVisibility.FLAVOR_VISIBILITY_PRIVATE:
      return { seeAll: true, isPublic: false };
    default:
      return { seeAll: false };
  }
}
