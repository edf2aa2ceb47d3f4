import type {
  DeleteComputeServiceRequest,
  DeleteComputeServiceResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { KilonovaError } from "../../kernel/index.js";
import { findService } from "../cells/find-service.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

/**
 * Removes the record of a service that is gone for good; its host leaves all aggregates.
 * @throws HOST_HAS_SERVERS while servers are on its host; HOST_HAS_MIGRATIONS while some leave it or come to
 *   it, also those that wait for their owner's confirmation
 */
export const deleteComputeService = (
  parts: Parts,
): Guarded<DeleteComputeServiceRequest, DeleteComputeServiceResponse> =>
  guarded({ serviceId: id }, own, async (ctx, { serviceId }) => {
    const { cell, service } = await findService(parts, ctx, serviceId);
    try {
      await parts.hosts.deleteHostService(ctx, { cell, serviceId: service.id });
    } catch (error) {
      if (error instanceof KilonovaError && error.reason === "SERVICE_HAS_INSTANCES")
        throw ApiErrors.HOST_HAS_SERVERS({}, { cause: error });
      if (error instanceof KilonovaError && error.reason === "SERVICE_HAS_MIGRATIONS")
        throw ApiErrors.HOST_HAS_MIGRATIONS({}, { cause: error });
      throw error;
    }
    if (service.binary === COMPUTE_BINARY) {
      const { aggregates } = await parts.aggregates.listStoredAggregates(ctx, { host: service.host });
      for (const aggregate of aggregates)
        await parts.aggregates.updateStoredAggregate(ctx, {
          aggregateId: aggregate.id,
          removeHost: service.host,
        });
    }
    parts.directory.forget(cell);
    return {};
  });
