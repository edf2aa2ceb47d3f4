import type { Ctx } from "../kernel/ctx.js";
import type { Clock } from "../kernel/time.js";
import { systemPacer } from "../platform/process/index.js";
import type { Channel, ServiceBinding } from "../platform/rpc/index.js";
import { cellsPeer } from "./adapters/peers/cells.js";
import { placementPeer } from "./adapters/peers/placement.js";
import { schedulerBinding } from "./adapters/rpc/service.js";
import { rulesOf } from "./config.js";
import type { SchedulerConfig } from "./config.js";
import { explainAll, tellOf } from "./ops/decide.js";
import { createFollower } from "./ops/follow.js";
import { selectDestinations } from "./ops/select-destinations.js";
import type { Liveness } from "./ports.js";
import { Fleet } from "./views/fleet.js";

export interface SchedulerDeps {
  /** Channels opened as `scheduler`. */
  readonly placement: Channel;
  readonly cells: Channel;
  readonly liveness: Liveness;
  readonly clock: Clock;
  readonly config: SchedulerConfig;
}

export interface SchedulerService {
  readonly bindings: readonly ServiceBinding[];
  /**
   * Follows the feeds until the context is aborted; decisions are refused as unavailable until it has caught
   * up.
   */
  start(ctx: Ctx): Promise<void>;
  close(): Promise<void>;
}

/** Builds the scheduler. */
export function buildScheduler({
  placement: placementChannel,
  cells,
  liveness,
  clock,
  config,
}: SchedulerDeps): SchedulerService {
  const fleet = new Fleet(liveness, clock, config.provisionalTtlMs);
  const placement = placementPeer(placementChannel);
  const follower = createFollower({ fleet, placement, cells: cellsPeer(cells), clock });
  const rules = rulesOf(config);
  return {
    bindings: [
      schedulerBinding({
        select: selectDestinations({
          fleet,
          placement,
          rules,
          options: config,
          pacer: systemPacer,
          refresh: follower.refresh,
          assertReady: follower.assertReady,
        }),
        explain: async ({ signal }, spec) => {
          follower.assertReady();
          return explainAll(fleet, spec, rules, config, { pacer: systemPacer, signal });
        },
        tell: tellOf(rules),
        hostsOf: (ids) => fleet.instances.hostsOf(ids),
      }),
    ],
    start: (ctx) => follower.run(ctx),
    close: async () => {
      await Promise.all([placementChannel.close(), cells.close()]);
    },
  };
}
