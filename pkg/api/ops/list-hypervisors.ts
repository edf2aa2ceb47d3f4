import type {
  ListHypervisorsRequest,
  ListHypervisorsResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import type { FoundHypervisor } from "../cells/hypervisors.js";
import { allHypervisors, withServers } from "../cells/hypervisors.js";
import { decodePageToken, encodePageToken } from "../crypto/page-tokens.js";
import { ApiErrors } from "../errors.js";
import { paging } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Lists hypervisors by cell and number. */
export const listHypervisors = (parts: Parts): Unary<ListHypervisorsRequest, ListHypervisorsResponse> =>
  checked<ListHypervisorsRequest, ListHypervisorsResponse>(
    { ...paging, hostnamePattern: text() },
    async (ctx, request) => {
      parts.policy.enforce(ctx.actor, "os_compute_api:os-hypervisors:list-detail");
      const { found, unreachable } = await allHypervisors(parts, ctx);
      const all = found.filter(({ hypervisor }) =>
        hypervisor.hypervisorHostname.includes(request.hostnamePattern),
      );
      const binding = `hypervisors:${request.hostnamePattern}`;
      const [after = request.marker] =
        request.pageToken === "" ? [] : decodePageToken(parts.tokens, binding, request.pageToken);
      const rest = all.slice(startAfter(all, after));
      const page = rest.slice(0, request.pageSize || 1000);
      const last = page.at(-1);
      return {
        hypervisors: request.withServers
          ? await withServers(parts, ctx, page, unreachable)
          : page.map((one) => one.hypervisor),
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
