import { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { KilonovaError } from "../../kernel/errors.js";
import { ConductorErrors } from "../errors.js";
import { done } from "../engine/kind.js";
import type { Change, Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { selectedHosts, storedDestination } from "./destinations.js";
import { groupOf, placeInGroup } from "./group-places.js";

/** How often another host is asked for when the group's members have changed places meanwhile. */
const GROUP_ATTEMPTS = 5;

/**
 * Asks the scheduler for a host, which it claims, and for alternates. That there is none is an answer too:
 * the server goes to cell0 with it, where everybody can see why.
 */
export const selectDestinations = (
  ports: Pick<Ports, "scheduler" | "placement" | "groups">,
  alternates: number,
): Step => ({
  name: selectedHosts.step,
  event: "conductor_schedule_and_build_instances",
  taskState: "scheduling",
  timeoutMs: 300_000,

  async run({ ctx, operation, instance, server, fence }) {
    const { spec } = instance;
    try {
      const excludeHosts: string[] = [];
      for (let attempt = 1; ; attempt++) {
        const group = await groupOf(ports, ctx, spec);
        const { chosen, alternates: others } = await ports.scheduler.selectDestinations(ctx, {
          serverId: server.id,
          projectId: server.projectId,
          userId: server.userId,
          purpose: RequestPurpose.REQUEST_PURPOSE_BOOT,
          operation: operation.name,
          fence,
          alternates,
          excludeHosts,
          ...(spec === undefined ? {} : { spec }),
          ...(group === undefined ? {} : { group }),
        });
        if (chosen === undefined || (await placeInGroup(ports, ctx, spec, server.id, chosen)))
          return done(
            { hosts: [...(chosen === undefined ? [] : [chosen]), ...others].map(storedDestination) },
            inBatch(spec) ? toldOthers(server, chosen?.host) : undefined,
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

  async undo({ ctx, operation, instance, server, fence }) {
    await placeInGroup(ports, ctx, instance.spec, operation.serverId, undefined);
    await ports.placement.releaseAllocations(ctx, {
      consumerId: operation.serverId,
      operation: operation.name,
      fence,
    });
    return inBatch(instance.spec) ? toldOthers(server, undefined) : undefined;
  },
});

const inBatch = (spec: ServerSpec | undefined): boolean => (spec?.batchSize ?? 0) > 1;

/** Says in the record that the server has a host, for those that were asked for with it. */
const toldOthers = (server: Server, launchedOn: string | undefined): Change => ({
  set: { hostInfo: { ...server.hostInfo, launchedOn } },
});
