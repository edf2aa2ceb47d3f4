import { AggregateStoreServiceDefinition } from "../../gen/kilonova/cells/v1/aggregates_service.js";
import { ConsoleTokenServiceDefinition } from "../../gen/kilonova/cells/v1/console_tokens_service.js";
import { FeedServiceDefinition } from "../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../gen/kilonova/cells/v1/global_service.js";
import { HostsServiceDefinition } from "../../gen/kilonova/cells/v1/hosts_service.js";
import { ServerGroupStoreServiceDefinition } from "../../gen/kilonova/cells/v1/server_groups_service.js";
import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../kernel/ctx.js";
import { FairSlots } from "../kernel/fair-slots.js";
import type { Ids } from "../kernel/ids.js";
import type { Logger } from "../kernel/logger.js";
import type { Clock } from "../kernel/time.js";
import { catalogue } from "../model/operation-catalogue.js";
import type { OperationCatalogue } from "../model/operation-catalogue.js";
import type { Database } from "../platform/db/index.js";
import {
  compactionTask,
  createFeedReader,
  createSequencer,
  createTail,
  nudging,
} from "../platform/db/feed/index.js";
import type { FeedReader, FeedTables } from "../platform/db/feed/index.js";
import { bindService } from "../platform/rpc/index.js";
import type { ServiceBinding } from "../platform/rpc/index.js";
import { coalesced } from "./store/coalesced.js";
import { NumberBlocks } from "./store/number-blocks.js";
import { agentsOwn } from "./hosts/rpc/agents-own.js";
import type { OperationCheck } from "./hosts/rpc/agents-own.js";
import { aggregateHandlers } from "./hosts/rpc/aggregates.js";
import { consoleTokenHandlers } from "./consoles/rpc/console-tokens.js";
import { feedHandlers } from "./feed/rpc/feed.js";
import { globalHandlers } from "./catalogue/rpc/global.js";
import { hostsHandlers } from "./hosts/rpc/hosts.js";
import { instancesHandlers } from "./servers/rpc/instances.js";
import { serverGroupHandlers } from "./groups/rpc/server-groups.js";
import { operationStoreHandlers } from "./operations/rpc/operation-store.js";
import { secretBox } from "./store/secret-box.js";
import type { SecretKey } from "./store/secret-box.js";
import { registerCells } from "./servers/store/mappings.js";
import { requireOperationOn } from "./operations/store/operation-hosts.js";
import { restingTask } from "./operations/rest.js";
import { confirming, dueTask, offloading, reclaiming } from "./operations/due.js";
import { sweepingTask } from "./retention/sweeps.js";
import { quotaDesk, settlingTask } from "./quota/settle-claims.js";
import { serverRecordsHandlers } from "./servers/rpc/server-records.js";
import { ServerRecordsServiceDefinition } from "../../gen/kilonova/cells/v1/server_records_service.js";
import { openStore } from "./store/tables.js";
import type { Store } from "./store/tables.js";
import { defaultLimitsOf } from "./config.js";
import type { CellsConfig } from "./config.js";
import { CellsErrors } from "./errors.js";
import type { Liveness, PlacementPort, Waker } from "./ports.js";
import { Stores } from "./stores.js";
import { GLOBAL } from "../model/database-names.js";

/** A cell of the configuration. */
export interface CellSource {
  readonly name: string;
  readonly uuid: string;
  readonly database: Database<FeedTables>;
  /** Where its costly lists run; without it on the same connections. */
  readonly lists?: ListConnections;
}

/** Connections for lists whose cost is their filter; all schemas of one database server share them. */
export interface ListConnections {
  /** The same schema as the database's, on these connections. */
  readonly database: Database<FeedTables>;
  /** One for all that share the connections. */
  readonly slots: FairSlots;
}

export interface CellsDeps {
  /** Migrated with `globalMigrations`. */
  readonly global: Database<FeedTables>;
  /** As a cell's `lists`. */
  readonly globalLists?: ListConnections;
  /** Migrated with `cellMigrations`; cell0 is one of them. */
  readonly cells: readonly CellSource[];
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly config: CellsConfig;
  /** For passwords and user data at rest; the first seals, all open. */
  readonly secretKeys: readonly [SecretKey, ...SecretKey[]];
  readonly waker: Waker;
  readonly placement: PlacementPort;
  readonly liveness: Liveness;
  /** Who numbers the feeds; a constant for a process that runs alone. */
  readonly sequencerOwner: string;
  /** Kinds of operations that are accepted; those of this build unless told. */
  readonly operations?: OperationCatalogue;
  /**
   * How often feeds are looked at for what other processes wrote, in ms; what this one writes is told at
   * once. Default 200.
   */
  readonly feedPollMs?: number;
}

export interface CellsService {
  readonly bindings: readonly ServiceBinding[];
  /** Numbers and compacts the feeds until the context ends. */
  start(ctx: Ctx): Promise<void>;
  close(): Promise<void>;
}

interface Feed {
  readonly reader: FeedReader;
  run(ctx: Ctx): Promise<void>;
}

/** Longest that a change waits for its number. */
const FEED_DELAY_MS = 15;
const FEED_POLL_MS = 200;

/** One database with its feed: writes wake the sequencer, which rings for the readers. */
function openWithFeed(
  name: string,
  database: Database<FeedTables>,
  lists: ListConnections | undefined,
  deps: CellsDeps,
): { store: Store; feed: Feed } {
  const tail = createTail();
  const { feedPollMs: pollMs = FEED_POLL_MS } = deps;
  const sequencer = createSequencer(database, { owner: deps.sequencerOwner, tail, pollMs });
  const nudge = coalesced(() => sequencer.nudge(), FEED_DELAY_MS);
  const compaction = compactionTask(database, {
    keepMs: deps.config.feedKeepHours * 3_600_000,
    clock: deps.clock,
  });
  return {
    store: openStore(name, nudging(database, { nudge }), nudge, {
      ...(lists ?? { database, slots: listSlots(deps.config) }),
      timeoutMs: deps.config.costlyListTimeoutMs,
      waitMs: deps.config.costlyListWaitMs,
    }),
    feed: {
      reader: createFeedReader(database, { tail, pollMs }),
      run: async (ctx) => {
        await Promise.all([
          keepRunning(ctx, deps.clock, `${name}.sequencer`, (c) => sequencer.run(c)),
          keepRunning(ctx, deps.clock, `${name}.compaction`, compaction),
        ]);
      },
    },
  };
}

/** Lists that wait for one project; more are refused. */
const WAITING_LISTS = 32;

/** As many places as the pool of costly lists has connections. */
export const listSlots = (config: CellsConfig): FairSlots =>
  new FairSlots({
    slots: config.costlyListConnections,
    perKey: config.costlyListsPerProject,
    queuePerKey: WAITING_LISTS,
  });

const RESTART_MS = 1_000;

/** Runs a loop until the context ends, again after it failed: a database that went away comes back. */
async function keepRunning(
  ctx: Ctx,
  clock: Clock,
  name: string,
  loop: (ctx: Ctx) => Promise<void>,
): Promise<void> {
  while (!ctx.signal.aborted) {
    try {
      await loop(ctx);
    } catch (error) {
      if (ctx.signal.aborted) return;
      ctx.log.warn("cells.loop.failed", { loop: name, error });
      await clock.sleep(RESTART_MS, ctx.signal).catch(() => undefined);
    }
  }
}

/** Builds the cells service. */
export function buildCells(deps: CellsDeps): CellsService {
  const globalSource = { name: GLOBAL, database: deps.global, lists: deps.globalLists };
  const opened = [globalSource, ...deps.cells].map(({ name, database, lists }) => ({
    name,
    ...openWithFeed(name, database, lists, deps),
  }));
  const [global, ...cells] = opened.map(({ store }) => store);
  if (global === undefined) throw new Error("no global database");
  const stores = new Stores(global, cells);
  const feeds = new Map(opened.map(({ name, feed }) => [name, feed]));
  const blocks = new Map(cells.map((store) => [store.name, new NumberBlocks(store, "instance")]));
  const storeDeps = {
    clock: deps.clock,
    ids: deps.ids,
    box: secretBox(deps.secretKeys),
    operations: deps.operations ?? catalogue,
    reclaimIntervalS: deps.config.reclaimInstanceIntervalS,
  };
  const defaultLimits = defaultLimitsOf(deps.config);
  const desk = quotaDesk(stores, storeDeps, defaultLimits);
  const common = { stores, deps: storeDeps, waker: deps.waker };
  const found = <T>(map: ReadonlyMap<string, T>, database: string): T => {
    const value = map.get(database);
    if (value === undefined) throw CellsErrors.UNKNOWN_DATABASE({ database });
    return value;
  };
  const worksThere: OperationCheck = (ctx, cell, operation, host) =>
    requireOperationOn(stores.cell(cell), ctx, operation, host);
  return {
    bindings: [
      bindService(GlobalServiceDefinition, globalHandlers({ ...common, defaultLimits })),
      bindService(ServerGroupStoreServiceDefinition, serverGroupHandlers(global, storeDeps, defaultLimits)),
      bindService(ConsoleTokenServiceDefinition, consoleTokenHandlers(stores, storeDeps)),
      bindService(AggregateStoreServiceDefinition, aggregateHandlers(global, storeDeps)),
      bindService(InstancesServiceDefinition, instancesHandlers({ ...common, desk })),
      bindService(ServerRecordsServiceDefinition, serverRecordsHandlers({ stores, deps: storeDeps })),
      bindService(
        OperationStoreServiceDefinition,
        operationStoreHandlers({ ...common, guestNumbers: (cell) => found(blocks, cell) }),
      ),
      bindService(
        HostsServiceDefinition,
        hostsHandlers({ ...common, placement: deps.placement, liveness: deps.liveness }),
      ),
      bindService(
        FeedServiceDefinition,
        feedHandlers((database) => found(feeds, database).reader),
      ),
    ].map((binding) => agentsOwn(binding, worksThere)),
    start: async (ctx) => {
      try {
        await registerCells(
          global,
          ctx,
          deps.cells.map(({ name, uuid }) => ({ name, uuid })),
        );
      } catch (error) {
        // To be told to end while it starts is no failure.
        if (ctx.signal.aborted) return;
        throw error;
      }
      await Promise.all([
        ...opened.map(({ feed }) => feed.run(ctx)),
        keepRunning(ctx, deps.clock, "quota.claims", settlingTask(stores, storeDeps)),
        ...stores.all.map((store) =>
          keepRunning(ctx, deps.clock, `${store.name}.rest`, restingTask(store, storeDeps)),
        ),
        ...stores.all.map(({ name }) =>
          keepRunning(ctx, deps.clock, `${name}.retention`, sweepingTask(stores, name, deps)),
        ),
        ...cells.flatMap((store) =>
          Object.entries({
            reclaim: reclaiming(deps.config.reclaimInstanceIntervalS),
            offload: offloading(deps.config.shelvedOffloadS),
            confirm: confirming(deps.config.resizeConfirmWindowS),
          }).map(([name, work]) =>
            keepRunning(
              ctx,
              deps.clock,
              `${store.name}.${name}`,
              dueTask(store, { ...storeDeps, desk, waker: deps.waker }, work),
            ),
          ),
        ),
      ]);
    },
    close: async () => {
      await Promise.all([deps.global.close(), ...deps.cells.map(({ database }) => database.close())]);
    },
  };
}
