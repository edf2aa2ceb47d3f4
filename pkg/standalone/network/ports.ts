import type { Clock, Ctx, Ids } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import type { NetworkTables } from "./adapters/sql/tables.js";
import type { PortEvent } from "./domain/port-events.js";
import type { ChangeFeed } from "./ops/change-feed.js";

/** All that the Network service works with. */
export interface NetworkParts {
  readonly db: Database<NetworkTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** 0..1; for MAC addresses, segmentation ids and the place in a pool. */
  readonly random: () => number;
  readonly config: NetworkConfig;
  /**
   * Runs what makes, changes and deletes ports one at a time. The constraints in SQL make it right whoever
   * else is there; this only spares concurrent changes from conflicting with each other over and over: eight
   * deletions at once needed up to fifteen attempts each.
   */
  readonly inTurn: <T>(fn: () => Promise<T>) => Promise<T>;
  /**
   * Told about ports of servers after their change is stored (`network-vif-plugged` …). A failure is logged
   * and lost, as with the real service: Compute must look at the port as well.
   */
  readonly onPortEvents: (ctx: Ctx, events: readonly PortEvent[]) => Promise<void>;
  readonly changes: ChangeFeed;
}

export interface NetworkConfig {
  /** Type of networks for which nobody names one. */
  readonly defaultNetworkType: "vxlan" | "geneve" | "vlan" | "flat" | "local";
  /** Bytes, of networks for which nobody names one. */
  readonly defaultMtu: number;
}

export const networkDefaults: NetworkConfig = { defaultNetworkType: "vxlan", defaultMtu: 1_450 };
