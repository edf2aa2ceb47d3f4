import type { Ctx } from "../../kernel/ctx.js";
import { mapLimit } from "../../kernel/concurrency.js";
import { follow } from "../../kernel/signals.js";
import type { Clock } from "../../kernel/time.js";
import { E } from "../errors.js";
import type { Cells, FeedPlace, Placement } from "../ports.js";
import type { Fleet } from "../views/fleet.js";

/** How often the list of cells is read again. */
const CELLS_EVERY_MS = 10_000;
/** Between attempts to follow a feed that broke. */
const RETRY_MS = 500;
/** Longest that a refresh waits for the feed of a cell that answers. */
const CATCH_UP_MS = 2_000;
/** Refusals in a row share one refresh within this time. */
const REFRESH_AT_MOST_EVERY_MS = 100;

export interface Follower {
  /** Follows all feeds until the context is aborted. */
  run(ctx: Ctx): Promise<void>;
  /**
   * Catches up: what was committed anywhere before the call is in the views after it. Calls close together
   * share one.
   * @cost a question to placement and one to each cell, and what they have to tell; never the whole fleet
   */
  refresh(ctx: Ctx): Promise<void>;
  /** @throws VIEWS_NOT_READY before placement, the aggregates and each cell were read, or tried, once */
  assertReady(): void;
}

export interface FollowDeps {
  readonly fleet: Fleet;
  readonly placement: Placement;
  readonly cells: Cells;
  readonly clock: Clock;
}

/**
 * Keeps the fleet's views fed. A cell that cannot be reached keeps its last known hosts; liveness judges
 * them.
 */
export function createFollower({ fleet, placement, cells, clock }: FollowDeps): Follower {
  const following = new Map<string, AbortController>();
  const tried = new Set<string>();
  /** Up to where each cell's feed is in the views, and who waits for more. */
  const places = new Map<string, FeedPlace>();
  const waiting = new Set<() => void>();
  let placementRead = false,
    cellsRead = false,
    aggregatesRead = false;
  let running: Ctx | undefined;
  let refreshing: Promise<void> | undefined;
  let refreshedMs = -Infinity;

  const repeat = async (ctx: Ctx, what: string, waitMs: number, work: () => Promise<void>): Promise<void> => {
    while (!ctx.signal.aborted) {
      await work().catch((error: unknown) => {
        if (!ctx.signal.aborted) ctx.log.warn("scheduler.feed.broken", { feed: what, error });
      });
      await clock.sleep(waitMs, ctx.signal).catch(() => {});
    }
  };

  const followPlacement = async (ctx: Ctx): Promise<void> => {
    for await (const batch of placement.changes(ctx, fleet.index.revision)) {
      fleet.applyPlacement(batch);
      placementRead = true;
    }
  };

  const followAggregates = async (ctx: Ctx): Promise<void> => {
    for await (const all of cells.watchAggregates(ctx)) {
      fleet.applyAggregates(all);
      aggregatesRead = true;
    }
  };

  /** A watch begins with what changed until now. */
  const catchUp = async (ctx: Ctx): Promise<void> => {
    for await (const batch of placement.changes(ctx, fleet.index.revision)) {
      fleet.applyPlacement(batch);
      return;
    }
  };

  const followCell = async (ctx: Ctx, cell: string): Promise<void> => {
    try {
      for await (const news of cells.watch(ctx, cell)) {
        if ("snapshot" in news) fleet.applySnapshot(cell, news.snapshot);
        else for (const change of news.changes) fleet.applyChange(cell, change);
        tried.add(cell);
        places.set(cell, news.place);
        for (const look of [...waiting]) look();
      }
    } finally {
      tried.add(cell);
    }
  };

  /** Waits until the views know all that a cell has committed by now. */
  const catchUpWith = async (ctx: Ctx, cell: string): Promise<void> => {
    const head = await cells.head(ctx, cell);
    const there = (): boolean => {
      const place = places.get(cell);
      return place?.incarnation === head.incarnation && place.revision >= head.revision;
    };
    if (there()) return;
    const waited = new AbortController();
    const release = follow(waited, ctx.signal);
    const look = (): void => {
      if (there()) waited.abort();
    };
    waiting.add(look);
    await clock.sleep(CATCH_UP_MS, waited.signal).catch(() => {});
    waiting.delete(look);
    release();
    if (!there()) ctx.log.warn("scheduler.cell.late", { cell, ...head, known: places.get(cell) });
  };

  const followCells = async (ctx: Ctx): Promise<void> => {
    const names = new Set(await cells.list(ctx));
    for (const [cell, stop] of following) {
      if (names.has(cell)) continue;
      stop.abort();
      following.delete(cell);
      places.delete(cell);
      fleet.dropCell(cell);
    }
    for (const cell of names) {
      if (following.has(cell)) continue;
      const stop = new AbortController();
      following.set(cell, stop);
      const release = follow(stop, ctx.signal);
      const inner = { ...ctx, signal: stop.signal };
      void repeat(inner, cell, RETRY_MS, () => followCell(inner, cell)).finally(release);
    }
    cellsRead = true;
  };

  return {
    run: async (ctx) => {
      running = ctx;
      const listing = async (): Promise<void> => {
        // Quick until there is one: at start the cells service may come up after us, and then name its cells.
        while (!ctx.signal.aborted) {
          await followCells(ctx).catch((error: unknown) =>
            ctx.log.warn("scheduler.cells.unknown", { error }),
          );
          await clock
            .sleep(cellsRead && following.size > 0 ? CELLS_EVERY_MS : RETRY_MS, ctx.signal)
            .catch(() => {});
        }
      };
      await Promise.all([
        repeat(ctx, "placement", RETRY_MS, () => followPlacement(ctx)),
        repeat(ctx, "aggregates", RETRY_MS, () => followAggregates(ctx)),
        listing(),
      ]);
    },
    refresh: (ctx) => {
      if (refreshing !== undefined) return refreshing;
      if (clock.monotonicMs() - refreshedMs < REFRESH_AT_MOST_EVERY_MS) return Promise.resolve();
      const work = async (): Promise<void> => {
        await catchUp(ctx);
        // A cell may have been added since the list was read; it is followed from now on, not only during
        // this request.
        if (running !== undefined)
          await followCells(running).catch((error: unknown) =>
            ctx.log.warn("scheduler.cells.unknown", { error }),
          );
        await mapLimit([...following.keys()], 16, (cell) =>
          catchUpWith(ctx, cell).catch((error: unknown) =>
            ctx.log.warn("scheduler.cell.silent", { cell, error }),
          ),
        );
        refreshedMs = clock.monotonicMs();
      };
      return (refreshing = work().finally(() => {
        refreshing = undefined;
      }));
    },
    assertReady: () => {
      if (
        !placementRead ||
        !cellsRead ||
        !aggregatesRead ||
        [...following.keys()].some((cell) => !tried.has(cell))
      )
        throw E.VIEWS_NOT_READY({});
    },
  };
}
