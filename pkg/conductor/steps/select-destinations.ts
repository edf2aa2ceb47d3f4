import type {
  RequestedDestination,
  SelectDestinationsRequest,
} from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { KilonovaError } from "../../kernel/errors.js";
import { ConductorErrors } from "../errors.js";
import { done } from "../engine/kind.js";
import type { Change, Step, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { selectedHosts, storedDestination } from "./destinations.js";
import { groupOf, placeInGroup } from "./group-places.js";

/** How often another host is asked for when the group's members have changed places meanwhile. */
const GROUP_ATTEMPTS = 5;

/** What a place is looked for. */
export interface Search<I> extends Pick<Step, "event" | "taskState"> {
  /** Hosts that are told besides the one that is claimed. */
  readonly alternates: number;
  readonly purpose: RequestPurpose;
  /** What is asked for beyond what the server is. */
  wishes?(call: StepCall<I>): Wishes;
  /** Of a move: what it leaves, and what keeps that. */
  leaves?(call: StepCall<I>): Pick<SelectDestinationsRequest, "source" | "migrationId">;
  /** Gives back what was claimed, and the place in the group; absent: the server is nowhere then. */
  giveBack?(call: StepCall<I>): Promise<void>;
}

/** What is asked of a place with the operation itself. */
export interface Wishes {
  /** The server's spec as it will be. */
  readonly spec?: ServerSpec;
  readonly requestedDestination?: RequestedDestination;
  readonly onlyCells?: readonly string[];
  readonly excludeHosts?: readonly string[];
}

/**
 * Asks the scheduler for a host for a new server, which it claims, and for alternates. That there is none is
 * an answer too: the server goes to cell0 with it, where everybody can see why.
 */
export const selectDestinations = (ports: SearchPorts, alternates: number): Step =>
  searchHost(ports, {
    event: "conductor_schedule_and_build_instances",
    taskState: "scheduling",
    purpose: RequestPurpose.REQUEST_PURPOSE_BOOT,
    alternates,
  });

export type SearchPorts = Pick<Ports, "scheduler" | "placement" | "groups">;

/** Asks the scheduler for a host, which it claims. The step that holds a claim tells when there is none. */
export const searchHost = <I>(
  ports: SearchPorts,
  { event, taskState, alternates, purpose, wishes, leaves, giveBack }: Search<I>,
): Step<I> => ({
  name: selectedHosts.step,
  event,
  ...(taskState === undefined ? {} : { taskState }),
  timeoutMs: 300_000,

  async run(call) {
    const { ctx, operation, instance, server, fence } = call;
    const wished = wishes?.(call) ?? {};
    const { spec = instance.spec, requestedDestination, onlyCells = [] } = wished;
    const tells = purpose === RequestPurpose.REQUEST_PURPOSE_BOOT && inBatch(spec);
    try {
      const excludeHosts = [...(wished.excludeHosts ?? [])];
      for (let attempt = 1; ; attempt++) {
        const group = await groupOf(ports, ctx, spec);
        const { chosen, alternates: others } = await ports.scheduler.selectDestinations(ctx, {
          serverId: server.id,
          projectId: server.projectId,
          userId: server.userId,
          purpose,
          operation: operation.name,
          fence,
          alternates,
          excludeHosts,
          onlyCells: [...onlyCells],
          ...leaves?.(call),
          ...(requestedDestination === undefined ? {} : { requestedDestination }),
          ...(spec === undefined ? {} : { spec }),
          ...(group === undefined ? {} : { group }),
        });
        if (chosen === undefined || (await placeInGroup(ports, ctx, spec, server.id, chosen)))
          return done(
            { hosts: [...(chosen === undefined ? [] : [chosen]), ...others].map(storedDestination) },
            tells ? toldOthers(server, chosen?.host) : undefined,
          );
        if (attempt === GROUP_ATTEMPTS)
          return done({
            hosts: [],
            refusal: {
              message: ConductorErrors.NO_VALID_HOST({
                detail: `There are not enough hosts available. Other members of the server group were faster on ${attempt} hosts.`,
              }).message,
              details: `The policy of the server group refused ${attempt} hosts.`,
              facts: {},
            },
          });
        excludeHosts.push(chosen.host);
      }
    } catch (error) {
      if (!(error instanceof KilonovaError) || error.reason !== "NO_VALID_HOST") throw error;
      const { details = "", ...facts } = error.facts;
      return done({ hosts: [], refusal: { message: error.message, details, facts } });
    }
  },

  async undo(call) {
    const { ctx, operation, instance, server, fence } = call;
    if (giveBack !== undefined) {
      await giveBack(call);
      return undefined;
    }
    await placeInGroup(ports, ctx, instance.spec, operation.serverId, undefined);
    await ports.placement.releaseAllocations(ctx, {
      consumerId: operation.serverId,
      operation: operation.name,
      fence,
      ownClaimsOnly: true,
    });
    const tells = purpose === RequestPurpose.REQUEST_PURPOSE_BOOT && inBatch(instance.spec);
    return tells ? toldOthers(server, undefined) : undefined;
  },
});

const inBatch = (spec: ServerSpec | undefined): boolean => (spec?.batchSize ?? 0) > 1;

/** Says in the record that the server has a host, for those that were asked for with it. */
const toldOthers = (server: Server, launchedOn: string | undefined): Change => ({
  set: { hostInfo: { ...server.hostInfo, launchedOn } },
});
