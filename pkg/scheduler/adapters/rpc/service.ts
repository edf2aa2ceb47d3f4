import { SchedulerServiceDefinition } from "../../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type * as pb from "../../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { bindService } from "../../../platform/rpc/index.js";
import type { ServiceBinding } from "../../../platform/rpc/index.js";
import type { Explanation } from "../../domain/explanation.js";
import { ownerMessage, ownerSummary } from "../../domain/owner-text.js";
import { keepsSource } from "../../domain/request-spec.js";
import type { RequestSpec } from "../../domain/request-spec.js";
import { ownersFacts } from "../../domain/telling.js";
import type { Tell } from "../../domain/telling.js";
import type { Selected, Selection, SelectRequest } from "../../ops/selection.js";
import { toSpec } from "./to-spec.js";

export interface SchedulerOps {
  select(ctx: Ctx, request: SelectRequest): Promise<Selected>;
  explain(ctx: Ctx, spec: RequestSpec): Promise<Explanation>;
  tell: Tell;
  hostsOf(serverIds: Iterable<string>): Set<string>;
}

/** The SchedulerService over these operations: translation only. */
export const schedulerBinding = (ops: SchedulerOps): ServiceBinding =>
  bindService(SchedulerServiceDefinition, {
    selectDestinations: async (ctx, request) => {
      if (request.serverId === "" || request.operation === "")
        throw CommonErrors.INVALID_ARGUMENT({ field: "server_id, operation", problem: "are required" });
      const spec = toSpec(request, ops.hostsOf);
      const { chosen, alternates, generation, migrationGeneration } = await ops.select(ctx, {
        spec,
        operation: request.operation,
        fence: Number(request.fence),
        attempt: request.attempt,
        migrationId: keepsSource(spec.purpose) ? request.migrationId : "",
        alternates: request.alternates,
      });
      return {
        chosen: toDestination(chosen),
        alternates: alternates.map(toDestination),
        consumerGeneration: BigInt(generation),
        migrationGeneration: BigInt(migrationGeneration),
      };
    },
    explain: async (ctx, request) => {
      const explanation = await ops.explain(ctx, toSpec({ ...request, serverId: "" }, ops.hostsOf));
      return { explanation: toExplanation(explanation, ops.tell, request.adminView) };
    },
  });

const toDestination = ({ host, holdings, mappings, weight }: Selection): pb.Destination => ({
  cell: host.cell,
  host: host.host,
  node: host.node,
  computeNodeId: host.computeNodeId,
  availabilityZone: host.availabilityZone,
  agentAddress: host.address,
  weight,
  resources: holdings.map(({ providerId, resources }) => ({
    providerId,
    resources: new Map([...resources].map(([name, amount]) => [name, BigInt(amount)])),
  })),
  mappings: new Map([...mappings].map(([suffix, ids]) => [suffix, { ids: [...ids] }])),
  limits: {
    vcpus: BigInt(host.vcpus.capacity),
    memoryMib: BigInt(host.memoryMib.capacity),
    diskGib: BigInt(host.diskGib.capacity),
    // No host reports its topology.
    numa: undefined,
  },
});

/** Names of hosts, and what only operators may know of them, are for administrators. */
const toExplanation = (explanation: Explanation, tell: Tell, adminView: boolean): pb.Explanation => {
  const { hostsConsidered, refusals, acceptedHosts } = explanation;
  return {
    hostsConsidered,
    hostsAccepted: acceptedHosts.length,
    acceptedHosts: adminView ? [...acceptedHosts] : [],
    message: acceptedHosts.length > 0 ? "" : ownerMessage(ownerSummary(explanation, tell)),
    refusals: refusals.map(({ rule, reason, hosts, nearestHost, nearestFacts }) => ({
      rule,
      reason,
      hosts,
      nearestHost: adminView ? nearestHost : "",
      nearestFacts: new Map(
        Object.entries(adminView ? nearestFacts : ownersFacts(nearestFacts, tell(rule, reason))),
      ),
    })),
  };
};
