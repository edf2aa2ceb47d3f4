import { KilonovaError } from "../../kernel/errors.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { selectedHosts, storedDestination } from "./destinations.js";

/**
 * Asks the scheduler for a host, which it claims, and for alternates. That there is none is an answer too: the server
 * goes to cell0 with it, where everybody can see why.
 */
export const selectDestinations = (ports: Pick<Ports, "scheduler" | "placement">, alternates: number): Step => ({
  name: selectedHosts.step,
  event: "conductor_schedule_and_build_instances",
  taskState: "scheduling",
  timeoutMs: 300_000,

  async run({ ctx, operation, instance, server, fence }) {
    const { spec } = instance;
    try {
      const { chosen, alternates: others } = await ports.scheduler.selectDestinations(ctx, {
        serverId: server.id, projectId: server.projectId, userId: server.userId, operation: operation.name, fence, alternates, ...spec === undefined ? {} : { spec },
      });
      return done({ hosts: [...chosen === undefined ? [] : [chosen], ...others].map(storedDestination) });
    } catch (error) {
      if (!(error instanceof KilonovaError) || error.reason !== "NO_VALID_HOST") throw error;
      return done({ hosts: [], refusal: { message: error.message, details: error.facts["summary"] ?? "", facts: error.facts } });
    }
  },

  async undo({ ctx, operation, fence }) {
    await ports.placement.releaseAllocations(ctx, { consumerId: operation.serverId, operation: operation.name, fence });
    return undefined;
  },
});
