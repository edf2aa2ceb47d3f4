import type {
  UpdateComputeServiceRequest,
  UpdateComputeServiceResponse,
} from "../../../gen/kilonova/api/v1/hosts_service.js";
import { findService, findServiceOn } from "../cells/find-service.js";
import { ApiErrors } from "../errors.js";
import { description } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { given, optional, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { presentService } from "../view/service-view.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";

/** Enables, disables or forces down a compute host; named by the service's UUID, or by host and binary. */
export const updateComputeService = (
  parts: Parts,
): Guarded<UpdateComputeServiceRequest, UpdateComputeServiceResponse> =>
  guarded(
    {
      serviceId: given(text()),
      host: given(text()),
      binary: given(text()),
      disabledReason: optional(description),
    },
    own,
    async (ctx, request) => {
      requireChange(request);
      const { serviceId, disabled, disabledReason, forcedDown } = request;
      const { cell, service } =
        serviceId !== undefined
          ? await findService(parts, ctx, serviceId)
          : await findServiceOn(parts, ctx, request.host ?? "", request.binary ?? "");
      if (service.binary !== COMPUTE_BINARY)
        throw ApiErrors.NOT_A_COMPUTE_SERVICE({ binary: service.binary });
      const answer = await parts.hosts.updateHostService(ctx, {
        cell,
        serviceId: service.id,
        ...(disabled === undefined ? {} : { disabled }),
        ...(forcedDown === undefined ? {} : { forcedDown }),
        ...(disabledReason === undefined ? {} : { disabledReason }),
        ...(disabled === false ? { disabledReason: "" } : {}),
      });
      parts.directory.forget(cell);
      return { service: presentService(cell, answer.service ?? service) };
    },
  );

function requireChange({
  serviceId,
  host,
  binary,
  disabled,
  disabledReason,
  forcedDown,
}: UpdateComputeServiceRequest): void {
  const bad = (field: string, problem: string): Error => ApiErrors.INVALID_REQUEST({ field, problem });
  if (serviceId === undefined && (host === undefined || binary === undefined))
    throw bad("service_id", "give it, or host and binary");
  if (disabled === undefined && disabledReason === undefined && forcedDown === undefined)
    throw bad("disabled", "there is nothing to change");
  if (disabledReason !== undefined && disabled !== true)
    throw bad("disabled_reason", "only goes with disabling");
}
