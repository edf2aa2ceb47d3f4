import type {
  ListHypervisorsRequest,
  ListHypervisorsResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { Hypervisor, HypervisorsView } from "../../../gen/kilonova/api/v1/hosts_service.js";
import type { FoundHypervisor } from "../cells/hypervisors.js";
import { allHypervisors, withServers } from "../cells/hypervisors.js";
import { rowsOf } from "../domain/page.js";
import { fittingRows } from "../../model/page-bytes.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import type { RuleName } from "../../policy/index.js";
import { ApiErrors } from "../errors.js";
import { paging } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import { given, oneOf, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { hypervisorIn, showsServers } from "../view/hypervisor-view.js";

const RULE = "os_compute_api:os-hypervisors:";
const ruleOfView: Readonly<Record<HypervisorsView, RuleName>> = {
  [HypervisorsView.HYPERVISORS_VIEW_UNSPECIFIED]: `${RULE}list-detail`,
  [HypervisorsView.HYPERVISORS_VIEW_DETAIL]: `${RULE}list-detail`,
  [HypervisorsView.HYPERVISORS_VIEW_BRIEF]: `${RULE}list`,
  [HypervisorsView.HYPERVISORS_VIEW_STATISTICS]: `${RULE}statistics`,
  [HypervisorsView.HYPERVISORS_VIEW_SEARCH]: `${RULE}search`,
  [HypervisorsView.HYPERVISORS_VIEW_SERVERS]: `${RULE}servers`,
};

/** Lists hypervisors by cell and number. */
export const listHypervisors = (parts: Parts): Guarded<ListHypervisorsRequest, ListHypervisorsResponse> =>
  guarded(
    { ...paging, hostnamePattern: given(text()), view: oneOf(HypervisorsView) },
    ownBy(({ view }) => ruleOfView[view]),
    async (ctx, request) => {
      const { view, hostnamePattern = "" } = request;
      const { found, unreachable } = await allHypervisors(parts, ctx);
      const all = found.filter(({ hypervisor }) => hypervisor.hypervisorHostname.includes(hostnamePattern));
      const binding = `hypervisors:${hostnamePattern}`;
      const [after = ctx.nova.marker] =
        request.pageToken === "" ? [] : decodePageToken(parts.tokens, binding, request.pageToken);
      const rest = all.slice(startAfter(all, after));
      const wanted = rest.slice(0, rowsOf(request.pageSize));
      const shown = showsServers(request)
        ? await withServers(parts, ctx, wanted, unreachable)
        : wanted.map((one) => one.hypervisor);
      const page = fittingRows(
        shown.map((one) => hypervisorIn(view, one)),
        (one) => Hypervisor.encode(one).finish().length,
      );
      const last = wanted[page.length - 1];
      return {
        hypervisors: [...page],
        unreachableCells: [...unreachable],
        nextPageToken:
          rest.length > page.length && last !== undefined
            ? encodePageToken(parts.tokens, binding, [last.hypervisor.id])
            : "",
      };
    },
  );

function startAfter(all: readonly FoundHypervisor[], marker: string): number {
  if (marker === "") return 0;
  const index = all.findIndex(
    ({ hypervisor }) => hypervisor.id === marker || hypervisor.number.toString() === marker,
  );
  if (index < 0) throw ApiErrors.MARKER_NOT_FOUND({ marker });
  return index + 1;
}
