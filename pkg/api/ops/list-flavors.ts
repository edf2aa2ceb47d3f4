import type {
  ListFlavorsRequest,
  ListFlavorsResponse,
} from "../../../gen/kilonova/api/v1/flavors_service.js";
import { FlavorSortField, FlavorVisibility } from "../../../gen/kilonova/api/v1/flavors_service.js";
import { KilonovaError } from "../../kernel/index.js";
import { rowsOf } from "../domain/page.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { ApiErrors } from "../errors.js";
import { paging, sortBy } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import { given, oneOf, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { flavorMaskOf, hiddenFlavorFields, presentFlavor } from "./flavor-access.js";

/**
 * Lists flavors. Only administrators choose the visibility; users see enabled public ones and those of their
 * project.
 */
export const listFlavors = (parts: Parts): Guarded<ListFlavorsRequest, ListFlavorsResponse> =>
  guarded(
    { ...paging, name: given(text()), visibility: oneOf(FlavorVisibility), sort: sortBy(FlavorSortField) },
    ownBy(() => "none"),
    async (ctx, request) => {
      const { marker } = ctx.nova;
      const admin = ctx.rights.isAdmin;
      const { visibility, ...query } = request;
      const pages = sealedPaging(parts.tokens, [
        "flavors",
        { ...query, pageToken: "", pageSize: 0 },
        admin ? visibility : "",
        ctx.actor.projectId,
      ]);
      const wanted = {
        ...query,
        name: query.name ?? "",
        pageSize: rowsOf(query.pageSize),
        sort: query.sort.map(({ field, direction }) => ({ field: columns[field], direction })),
        marker,
        pageToken: pages.open(request.pageToken),
        ...selection(admin ? visibility : FlavorVisibility.FLAVOR_VISIBILITY_PUBLIC),
        projectId: ctx.actor.projectId,
      };
      const { flavors, nextPageToken } = await parts.global
        .listStoredFlavors(ctx, wanted)
        .catch((error: unknown) => {
          if (!(error instanceof KilonovaError && error.reason === "MARKER_NOT_FOUND")) throw error;
          // The flavor with which the page before ended was deleted meanwhile.
          if (marker === "") throw ApiErrors.BAD_PAGE_TOKEN({}, { cause: error });
          // Stores speak of markers as key pairs do; Nova's lists of flavors have words of their own.
          throw ApiErrors.MARKER_NOT_FOUND({ marker }, { cause: error });
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

/** What the store calls them. */
const columns: Readonly<Record<FlavorSortField, string>> = {
  [FlavorSortField.FLAVOR_SORT_FIELD_UNSPECIFIED]: "",
  [FlavorSortField.FLAVOR_SORT_FIELD_CREATED_AT]: "created_at",
  [FlavorSortField.FLAVOR_SORT_FIELD_DESCRIPTION]: "description",
  [FlavorSortField.FLAVOR_SORT_FIELD_DISABLED]: "disabled",
  [FlavorSortField.FLAVOR_SORT_FIELD_EPHEMERAL_GIB]: "ephemeral_gb",
  [FlavorSortField.FLAVOR_SORT_FIELD_ID]: "id",
  [FlavorSortField.FLAVOR_SORT_FIELD_IS_PUBLIC]: "is_public",
  [FlavorSortField.FLAVOR_SORT_FIELD_MEMORY_MIB]: "memory_mb",
  [FlavorSortField.FLAVOR_SORT_FIELD_NAME]: "name",
  [FlavorSortField.FLAVOR_SORT_FIELD_ROOT_GIB]: "root_gb",
  [FlavorSortField.FLAVOR_SORT_FIELD_RXTX_FACTOR]: "rxtx_factor",
  [FlavorSortField.FLAVOR_SORT_FIELD_SWAP_MIB]: "swap",
  [FlavorSortField.FLAVOR_SORT_FIELD_UPDATED_AT]: "updated_at",
  [FlavorSortField.FLAVOR_SORT_FIELD_VCPUS]: "vcpus",
};

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
