import type {
  ExplainServerRequest,
  ExplainServerResponse,
  SchedulingExplanation,
  WhatIfRequest,
  WhatIfResponse,
} from "../../../gen/kilonova/api/v1/scheduling_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { Explanation } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { ExplainRequest, ServerGroup } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { KilonovaError } from "../../kernel/index.js";
import { orNone } from "../../model/presence.js";
import { groupPolicyWord } from "../../model/server-group-policy.js";
import { toTimestamp } from "../../model/wire-time.js";
import { planCreate } from "../create/plan.js";
import { acceptedServer } from "../create/server-record.js";
import { createShape } from "../create/shape.js";
import { exceededBy } from "../domain/quota-fit.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { required } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

const HOST_FIELDS = ["refusals.nearest_host", "accepted_hosts"];
/** What would measure the cloud, asked often enough. */
const COUNT_FIELDS = ["hosts_considered", "hosts_accepted", "refusals.hosts", "refusals.nearest_facts"];
const NO_HOST = "No valid host was found. There are not enough hosts available.";

/** Says where a server could be instead of where it is. */
export const explainServer = (parts: Parts): Guarded<ExplainServerRequest, ExplainServerResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (ctx, _request, { server, record: { spec } }) => {
    const { projectId, userId, hostInfo } = server;
    const host = hostInfo?.host ?? "";
    return explain(
      parts,
      ctx,
      { projectId, userId, ...(spec === undefined ? {} : { spec }), excludeHosts: host === "" ? [] : [host] },
      await groupOf(parts, ctx, server.serverGroupId, server.id),
      foundNoHost(server),
    );
  });

/** Says what a create would come to, without doing any of it. */
export const whatIf = (parts: Parts): Guarded<WhatIfRequest, WhatIfResponse> =>
  guarded({ request: required(createShape) }, own, async (ctx, { request }) => {
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

/** Whether the server's own fault has told its owner how many hosts there are. */
const foundNoHost = ({ vmState, fault }: Server): boolean =>
  vmState === VmState.VM_STATE_ERROR && fault?.reason === "NO_VALID_HOST";

/**
 * Asks the scheduler; hosts are named to administrators only.
 * @param counts  whether everybody who asks may know how many there are
 */
async function explain(
  parts: Parts,
  ctx: Call,
  request: Partial<ExplainRequest>,
  group: ServerGroup | undefined,
  counts = false,
): Promise<{ explanation: SchedulingExplanation; hiddenFields: string[] }> {
  const admin = ctx.rights.isAdmin;
  const { explanation = Explanation.fromPartial({}) } = await parts.scheduler.explain(ctx, {
    ...request,
    ...(group === undefined ? {} : { group }),
    adminView: admin,
  });
  const { hostsAccepted, acceptedHosts, refusals, hostsConsidered, message } = explanation;
  const told = {
    hostsConsidered,
    hostsAccepted,
    acceptedHosts,
    hasHost: hostsAccepted > 0,
    message: orNone(message),
    at: toTimestamp(parts.clock.now()),
    refusals: refusals.map((refusal) => ({ ...refusal, nearestHost: orNone(refusal.nearestHost) })),
  };
  if (admin) return { explanation: told, hiddenFields: [] };
  const nameless = {
    ...told,
    acceptedHosts: [],
    refusals: told.refusals.map((refusal) => ({ ...refusal, nearestHost: undefined })),
  };
  if (counts) return { explanation: nameless, hiddenFields: HOST_FIELDS };
  return {
    explanation: {
      ...nameless,
      hostsConsidered: 0,
      hostsAccepted: 0,
      message: told.message === undefined ? undefined : NO_HOST,
      refusals: nameless.refusals.map((refusal) => ({ ...refusal, hosts: 0, nearestFacts: new Map() })),
    },
    hiddenFields: [...HOST_FIELDS, ...COUNT_FIELDS],
  };
}

/**
 * A group as its other members would have it; undefined when it is deleted by now. @param self the member
 * that is asked about
 */
async function groupOf(
  parts: Parts,
  ctx: Call,
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
