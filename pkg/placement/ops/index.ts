import type { Ctx } from "../../kernel/ctx.js";
import type { Ids } from "../../kernel/ids.js";
import type { Pacer } from "../../kernel/pacer.js";
import type { Clock } from "../../kernel/time.js";
import type { PlacementStore } from "../ports.js";
import { allocationOps } from "./allocations.js";
import { createIndexKeeper } from "./index-keeper.js";
import { inventoryOps } from "./inventories.js";
import { classOps, traitOps } from "./names.js";
import { providerOps } from "./providers.js";
import { reshape } from "./reshape.js";
import { searchOps } from "./search.js";
import type { SearchOptions } from "./search.js";
import { syncProviderTree } from "./sync-provider-tree.js";
import { createBell, watchChanges } from "./watch-changes.js";
import { createWriteLane } from "./write-lane.js";

export interface OpsDeps {
  readonly store: PlacementStore;
  readonly clock: Clock;
  readonly ids: Ids;
  /** A context of the service's own, for work that serves several callers. */
  background(): Ctx;
  readonly maxBatch: number;
  readonly pacer: Pacer;
  readonly search: SearchOptions;
  readonly watchPollMs: number;
}

/** Everything that Placement can be asked to do. */
export function createOps({ store, clock, ids, background, maxBatch, pacer, search, watchPollMs }: OpsDeps) {
  const bell = createBell(clock);
  const keeper = createIndexKeeper(store, background);
  const lane = createWriteLane({ store, maxBatch, background, committed: () => bell.ring() });
  return {
    providers: providerOps(store, lane, ids),
    inventories: inventoryOps(lane),
    syncProviderTree: syncProviderTree(lane, keeper),
    allocations: allocationOps(store, lane),
    traits: traitOps(store, lane),
    classes: classOps(store, lane),
    search: searchOps(store, keeper, pacer, search),
    reshape: reshape(lane),
    watchChanges: watchChanges(store, bell, watchPollMs),
  };
}

export type PlacementOps = ReturnType<typeof createOps>;
