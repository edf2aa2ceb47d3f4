import { KilonovaError } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { OPERATORS_FACT } from "../../model/operation-error.js";
import { ConductorErrors } from "../errors.js";
import { done, fail } from "../engine/kind.js";
import type { Change, Step, StepCall, StepResult } from "../engine/kind.js";
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

/** How alternates are claimed and given back, one round at a time. */
export interface Claims {
  /** @throws what placement says */
  claim(call: StepCall, host: StoredDestination): Promise<void>;
  giveBack(call: StepCall): Promise<void>;
}

/** What differs between those that are built and those that move. */
export interface ClaimOptions extends Partial<Pick<Step, "event" | "taskState">> {
  /** Absent: as of a server that holds nothing yet. */
  readonly claims?: Claims;
  /** What changes once a host is claimed. */
  change?(call: StepCall, host: StoredDestination): Change;
}

/**
 * Holds a claim on the host to build on: at first the scheduler's own, after a failed build one on the next
 * alternate, without the scheduler, in the same cell. The first is done by the hand-over; it is started only
 * where that found no host, or was another version's.
 */
export const claimHost = <I>(
  ports: Pick<Ports, "placement" | "groups">,
  {
    event = "conductor_build_instances",
    taskState = TaskState.scheduling,
    claims = claimsAnew(ports),
    change,
  }: ClaimOptions = {},
): Step<I> => ({
  name: claimedHost.step,
  event,
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
    if (call.round === 0 && hosts[0] !== undefined)
      return done({ index: 0, host: hosts[0] }, change?.(call, hosts[0]));
    const next = await claimNext(call, ports, claims, hosts);
    return "kind" in next ? next : done(next, change?.(call, next.host));
  },

  async undo(call) {
    await claims.giveBack(call);
    return undefined;
  },
});

async function claimNext(
  call: StepCall,
  ports: Pick<Ports, "groups">,
  claims: Claims,
  hosts: readonly StoredDestination[],
): Promise<StepResult | { readonly index: number; readonly host: StoredDestination }> {
  const tried = call.outputs.all(claimedHost).at(-1)?.index ?? 0;
  for (const [index, host] of hosts.entries()) {
    if (index <= tried) continue;
    if (!(await placeInGroup(ports, call.ctx, call.instance.spec, call.server.id, host))) continue;
    try {
      await claims.claim(call, host);
      return { index, host };
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

/** Claims for a server that holds nothing yet. */
const claimsAnew = ({ placement }: Pick<Ports, "placement">): Claims => ({
  async claim({ ctx, operation, server, fence, round }, host) {
    await placement.claimAllocations(ctx, {
      operation: operation.name,
      fence,
      attempt: round,
      claim: claimOf(server, host),
    });
  },
  async giveBack({ ctx, operation, fence, round }) {
    // Of this round only: the next one claims under the same fence.
    await placement.releaseAllocations(ctx, {
      consumerId: operation.serverId,
      operation: operation.name,
      fence,
      ownClaimsOnly: true,
      attempt: round,
    });
  },
});

/** What a server claims on a host. */
export const claimOf = (server: StepCall["server"], host: StoredDestination) => ({
  consumerId: server.id,
  projectId: server.projectId,
  userId: server.userId,
  consumerType: "INSTANCE",
  allocations: host.resources.map(({ providerId, resources }) => ({
    providerId,
    resources: new Map(Object.entries(resources).map(([name, amount]) => [name, BigInt(amount)])),
  })),
});
