import type {
  GetHypervisorRequest,
  GetHypervisorResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { allHypervisors, withServers } from "../cells/hypervisors.js";
import { CommonErrors } from "../../kernel/index.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Reads a hypervisor by UUID or number. */
export const getHypervisor = (parts: Parts): Unary<GetHypervisorRequest, GetHypervisorResponse> =>
  checked<GetHypervisorRequest, GetHypervisorResponse>({ hypervisorId: id }, async (ctx, request) => {
    parts.policy.enforce(ctx.actor, "os_compute_api:os-hypervisors:show");
    const all = await allHypervisors(parts, ctx);
    const found = all.found.find(
      ({ hypervisor }) =>
        hypervisor.id === request.hypervisorId || hypervisor.number.toString() === request.hypervisorId,
    );
    if (found === undefined && all.unreachable.length > 0) throw CommonErrors.UNAVAILABLE({ what: "A cell" });
    if (found === undefined) throw ApiErrors.HYPERVISOR_NOT_FOUND({ hypervisor: request.hypervisorId });
    const [hypervisor] = request.withServers
      ? await withServers(parts, ctx, [found], all.unreachable)
      : [found.hypervisor];
    return { hypervisor };
  });
