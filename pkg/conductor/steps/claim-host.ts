import { KilonovaError } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { OPERATORS_FACT } from "../../model/operation-error.js";
import { ConductorErrors } from "../errors.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { claimedHost, selectedHosts } from "./destinations.js";
import { handedOver } from "./hand-over.js";
import { placeInGroup } from "./group-places.js";
import type { StoredDestination } from "./destinations.js";

/** Refusals that say something about one host only: another may do. */
const OF_HOST: ReadonlySet<string> = new Set([
  "CAPACITY_EXCEEDED",
  "INVENTORY_MISSING",
  "UNIT_VIOLATED",
  "PROVIDER_UNKNOWN",
]);

const isTaken = (error: unknown): boolean => error instanceof KilonovaError && OF_HOST.has(error.reason);

/**
 * Holds a claim on the host to build on: at first the scheduler's own, after a failed build one on the next
 * alternate, without the scheduler, in the same cell. The first is done by the hand-over; it is started only
 * where that found no host, or was another version's.
 */
export const claimHost = <I>(
  ports: Pick<Ports, "placement" | "groups">,
  { taskState = TaskState.scheduling }: Pick<Step, "taskState"> = {},
): Step<I> => ({
  name: claimedHost.step,
  event: "conductor_build_instances",
  taskState,
  timeoutMs: 120_000,

  async run(call) {
    const { hosts, refusal: own } = call.outputs.get(selectedHosts);
    const refusal = own ?? call.outputs.find(handedOver)?.refusal;
    if (refusal !== undefined) {
      return fail(
        { reason: "NO_VALID_HOST", domain: "scheduler", message: refusal.message, facts: refusal.facts },
        { details: refusal.details },
      );
    }
    if (call.round === 0 && hosts[0] !== undefined) return done({ index: 0, host: hosts[0] });
    return claimNext(call, ports, hosts);
  },

  async undo({ ctx, operation, fence, round }) {
    // Of this round only: the next one claims under the same fence.
    await ports.placement.releaseAllocations(ctx, {
      consumerId: operation.serverId,
      operation: operation.name,
      fence,
      attempt: round,
    });
    return undefined;
  },
});

async function claimNext(
  call: StepCall,
  ports: Pick<Ports, "placement" | "groups">,
  hosts: readonly StoredDestination[],
): Promise<StepResult> {
  const tried = call.outputs.all(claimedHost).at(-1)?.index ?? 0;
  for (const [index, host] of hosts.entries()) {
    if (index <= tried) continue;
    if (!(await placeInGroup(ports, call.ctx, call.instance.spec, call.server.id, host))) continue;
    try {
      await claim(call, ports, host);
      return done({ index, host });
    } catch (error) {
      if (!isTaken(error)) throw error;
      call.ctx.log.info("boot.alternate.taken", { operation: call.operation.name, host: host.host });
    }
  }
  const before = call.operation.error;
  const error = ConductorErrors.MAX_RETRIES_EXCEEDED({ server: call.server.id });
  return fail(error, {
    details:
      before === undefined ? "" : `Last error: ${before.message} ${before.facts.get(OPERATORS_FACT) ?? ""}`,
  });
}

async function claim(
  { ctx, operation, server, fence, round }: StepCall,
  ports: Pick<Ports, "placement">,
  host: StoredDestination,
): Promise<void> {
  const allocations = host.resources.map(({ providerId, resources }) => ({
    providerId,
    resources: new Map(Object.entries(resources).map(([name, amount]) => [name, BigInt(amount)])),
  }));
  const claimed = {
    consumerId: server.id,
    projectId: server.projectId,
    userId: server.userId,
    consumerType: "INSTANCE",
    allocations,
  };
  await ports.placement.claimAllocations(ctx, {
    operation: operation.name,
    fence,
    attempt: round,
    claim: claimed,
  });
}
