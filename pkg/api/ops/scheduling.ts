import type {
  ExplainServerRequest,
  ExplainServerResponse,
  SchedulingExplanation,
  WhatIfRequest,
  WhatIfResponse,
} from "../../../gen/kilonova/api/v1/scheduling_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { ExplainRequest, ServerGroup } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { groupPolicyWord } from "../../model/server-group-policy.js";
import { toTimestamp } from "../../model/wire-time.js";
import { planCreate } from "../create/plan.js";
import { acceptedServer } from "../create/server-record.js";
import { createShape } from "../create/shape.js";
import { exceededBy } from "../domain/quota-fit.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked, required } from "../shape/shape.js";
import type { Parts } from "../parts.js";

const HOST_FIELDS = ["refusals.nearest_host", "accepted_hosts"];

/** Says where a server could be instead of where it is. */
export const explainServer = (parts: Parts): Unary<ExplainServerRequest, ExplainServerResponse> =>
  checked<ExplainServerRequest, ExplainServerResponse>({ serverId: id }, async (ctx, { serverId }) => {
    const {
      server,
      record: { spec },
    } = await parts.servers.loadFor(ctx, "os_compute_api:servers:show", serverId);
    const { projectId, userId, hostInfo } = server;
    const host = hostInfo?.host ?? "";
    return explain(
      parts,
      ctx,
      { projectId, userId, ...(spec === undefined ? {} : { spec }), excludeHosts: host === "" ? [] : [host] },
      await groupOf(parts, ctx, server.serverGroupId, server.id),
    );
  });

/** Says what a create would come to, without doing any of it. */
export const whatIf = (parts: Parts): Unary<WhatIfRequest, WhatIfResponse> =>
  checked<WhatIfRequest, WhatIfResponse>({ request: required(createShape) }, async (ctx, { request }) => {
    const { batch, minCount } = await planCreate(parts, ctx, request as CreateServersRequest);
    const {
      projectId,
      userId,
      serverGroupId,
      gathered: { flavor },
    } = batch;
    const { spec } = acceptedServer(batch, 0, parts.ids.uuid());
    const [told, { limits }] = await Promise.all([
      explain(
        parts,
        ctx,
        { projectId, userId, ...(spec === undefined ? {} : { spec }) },
        await groupOf(parts, ctx, serverGroupId, ""),
      ),
      parts.global.getQuota(ctx, { projectId, userId }),
    ]);
    return { ...told, exceededQuotas: exceededBy(limits, minCount, flavor) };
  });

/** Asks the scheduler; hosts are named to administrators only. */
async function explain(
  parts: Parts,
  ctx: Ctx,
  request: Partial<ExplainRequest>,
  group: ServerGroup | undefined,
): Promise<{ explanation: SchedulingExplanation; hiddenFields: string[] }> {
  const admin = parts.policy.allows(ctx.actor, "context_is_admin");
  const { explanation } = await parts.scheduler.explain(ctx, {
    ...request,
    ...(group === undefined ? {} : { group }),
    adminView: true,
  });
  const { hostsConsidered = 0, acceptedHosts = [], refusals = [] } = explanation ?? {};
  return {
    explanation: {
      hostsConsidered,
      hostsAccepted: acceptedHosts.length,
      acceptedHosts: admin ? acceptedHosts : [],
      at: toTimestamp(parts.clock.now()),
      refusals: refusals.map((refusal) => ({ ...refusal, nearestHost: admin ? refusal.nearestHost : "" })),
    },
    hiddenFields: admin ? [] : HOST_FIELDS,
  };
}

/**
 * A group as its other members would have it; undefined when it is deleted by now. @param self the member
 * that is asked about
 */
async function groupOf(
  parts: Parts,
  ctx: Ctx,
  serverGroupId: string,
  self: string,
): Promise<ServerGroup | undefined> {
  if (serverGroupId === "") return undefined;
  try {
    const { serverGroup } = await parts.groups.getStoredServerGroup(ctx, { serverGroupId, projectId: "" });
    if (serverGroup === undefined) return undefined;
    return {
      id: serverGroup.id,
      policy: groupPolicyWord(serverGroup.policy),
      maxServerPerHost: serverGroup.maxServerPerHost ?? 0,
      memberIds: serverGroup.memberIds.filter((member) => member !== self),
      memberHosts: [],
    };
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "SERVER_GROUP_NOT_FOUND") return undefined;
    throw error;
  }
}
