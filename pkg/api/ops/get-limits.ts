import type { GetLimitsRequest, GetLimitsResponse } from "../../../gen/kilonova/api/v1/limits_service.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { given, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Limits and use of the caller's project, or with the right to of another one. */
export const getLimits = (parts: Parts): Guarded<GetLimitsRequest, GetLimitsResponse> =>
  guarded({ projectId: given(text()) }, own, async (ctx, request) => {
    const projectId = request.projectId ?? ctx.actor.projectId;
    if (projectId !== ctx.actor.projectId) ctx.rights.enforce("os_compute_api:limits:other_project");
    const { limits } = await parts.global.getQuota(ctx, { projectId, userId: ctx.actor.userId });
    return { limits: limits.map(({ resource, limit, used }) => ({ name: resource, limit, used })) };
  });
