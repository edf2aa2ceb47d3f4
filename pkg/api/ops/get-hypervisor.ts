import type {
  GetHypervisorRequest,
  GetHypervisorResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { HypervisorView } from "../../../gen/kilonova/api/v1/hosts_service.js";
import { allHypervisors, withServers } from "../cells/hypervisors.js";
import { CommonErrors } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, ownBy } from "../rights/guarded.js";
import { oneOf } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { uptimeOf } from "../view/hypervisor-view.js";

const ruleOf = ({ view }: GetHypervisorRequest) =>
  view === HypervisorView.HYPERVISOR_VIEW_UPTIME
    ? "os_compute_api:os-hypervisors:uptime"
    : "os_compute_api:os-hypervisors:show";

/** Reads a hypervisor by UUID or number. */
export const getHypervisor = (parts: Parts): Guarded<GetHypervisorRequest, GetHypervisorResponse> =>
  guarded({ hypervisorId: id, view: oneOf(HypervisorView) }, ownBy(ruleOf), async (ctx, request) => {
    const all = await allHypervisors(parts, ctx);
    const found = all.found.find(
      ({ hypervisor }) =>
        hypervisor.id === request.hypervisorId || hypervisor.number.toString() === request.hypervisorId,
    );
    if (found === undefined && all.unreachable.length > 0) throw CommonErrors.UNAVAILABLE({ what: "A cell" });
    if (found === undefined) throw ApiErrors.HYPERVISOR_NOT_FOUND({ hypervisor: request.hypervisorId });
    if (request.view === HypervisorView.HYPERVISOR_VIEW_UPTIME)
      return { hypervisor: uptimeOf(found.hypervisor) };
    const [hypervisor] = request.withServers
      ? await withServers(parts, ctx, [found], all.unreachable)
      : [found.hypervisor];
    return { hypervisor };
  });
