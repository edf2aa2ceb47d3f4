import pLimit from "p-limit";
import type { FeedEntry, FeedServiceDefinition } from "../../../gen/kilonova/cells/v1/feed_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { isWanted } from "../../platform/db/feed/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { CellGuard } from "../cells/guard.js";
import type { Position } from "./resume-token.js";
import type { FeedQuery, TailDeps } from "./shared-tail.js";
import { SharedTail } from "./shared-tail.js";
import type { TailSubscription } from "./tail-subscription.js";

/** What happened on one database's feed. */
export type Happening =
  | {
      readonly type: "batch";
      readonly database: string;
      readonly entries: readonly FeedEntry[];
      readonly position: Position;
    }
  /** It does not answer; told once, then it is tried again. */
  | { readonly type: "silent"; readonly database: string }
  /** The position is too old or of another life of the database. */
  | { readonly type: "lost"; readonly database: string };

/** Bounds of what watches may cost. */
export interface HubLimits {
  /** Bytes that wait for one watch of one database. */
  readonly watchBufferBytes: number;
  /** Bytes that wait for all watches of this process. */
  readonly watchBuffersTotalBytes: number;
  /** Stretches of history that are read at once. */
  readonly watchHistoryReads: number;
}

const RETRY_MS = 1_000;

/**
 * Feeds for any number of watches: each database's end is read once and handed round in memory; whoever is
 * behind it reads the stretch in between by himself, a bounded piece at a time.
 */
export class FeedHub {
  readonly #feed: Client<FeedServiceDefinition>;
  readonly #guard: CellGuard;
  readonly #clock: Clock;
  readonly #limits: HubLimits;
  readonly #tails = new Map<string, SharedTail>();
  readonly #deps: TailDeps;
  readonly #history;

  constructor(feed: Client<FeedServiceDefinition>, guard: CellGuard, clock: Clock, limits: HubLimits) {
    this.#feed = feed;
    this.#guard = guard;
    this.#clock = clock;
    this.#limits = limits;
    this.#deps = { feed, guard, clock, budget: { usedBytes: 0, mostBytes: limits.watchBuffersTotalBytes } };
    this.#history = pLimit(limits.watchHistoryReads);
  }

  /** Bytes that wait for readers. */
  get bufferedBytes(): number {
    return this.#deps.budget.usedBytes;
  }

  /** Where a database's feed ends, or ended a moment ago. @throws unavailable, deadline */
  async head(ctx: Ctx, database: string): Promise<Position> {
    const known = this.knownHead(database);
    if (known !== undefined) return known;
    const { incarnation, revision } = await this.#guard.call(ctx, database, (inner) =>
      this.#feed.getFeedHead(inner, { database }),
    );
    return { incarnation, revision };
  }

  /** The same without asking the database: undefined while nobody reads its feed here. */
  knownHead(database: string): Position | undefined {
    return this.#tail(database).position;
  }

  /**
   * @param from         where to go on; an incarnation of "" is not compared
   * @param silenceTold  whether the watch knows already that the database does not answer
   */
  follow(database: string, from: Position, query: FeedQuery, silenceTold = false): FeedFollower {
    const { watchBufferBytes } = this.#limits;
    return new FeedFollower({
      tail: this.#tail(database),
      database,
      query,
      bufferBytes: watchBufferBytes,
      position: from,
      silenceTold,
      history: {
        read: (ctx, position) => this.#read(ctx, database, position, query),
        pause: (ctx) => this.#clock.sleep(RETRY_MS, ctx.signal).catch(() => undefined),
      },
    });
  }

  #read(ctx: Ctx, database: string, { incarnation, revision }: Position, query: FeedQuery): Promise<Stretch> {
    return this.#history(async () => {
      const stretch = await this.#guard.call(ctx, database, (inner) =>
        this.#feed.readFeed(inner, {
          database,
          incarnation,
          afterRevision: revision,
          entityKinds: [...query.entityKinds],
          projectId: query.projectId,
        }),
      );
      return {
        entries: stretch.entries,
        position: { incarnation: stretch.incarnation, revision: stretch.revision },
      };
    });
  }

  #tail(database: string): SharedTail {
    const known = this.#tails.get(database);
    if (known !== undefined) return known;
    const tail = new SharedTail(this.#deps, database);
    this.#tails.set(database, tail);
    return tail;
  }
}

interface Stretch {
  readonly entries: readonly FeedEntry[];
  readonly position: Position;
}

/** Where a follower reads what lies before the tail. */
interface History {
  read(ctx: Ctx, position: Position): Promise<Stretch>;
  pause(ctx: Ctx): Promise<void>;
}

interface FollowerInit {
  readonly tail: SharedTail;
  readonly database: string;
  readonly query: FeedQuery;
  readonly bufferBytes: number;
  readonly position: Position;
  readonly silenceTold: boolean;
  readonly history: History;
}

/** One watch's way through one database's feed: history as long as it is behind, then the shared tail. */
export class FeedFollower {
  readonly #tail: SharedTail;
  readonly #database: string;
  readonly #query: FeedQuery;
  readonly #bufferBytes: number;
  readonly #history: History;
  #position: Position;
  #subscription: TailSubscription | undefined;
  /** Whether the watch was told that the database is silent. */
  #told: boolean;

  constructor(init: FollowerInit) {
    this.#tail = init.tail;
    this.#database = init.database;
    this.#position = init.position;
    this.#query = init.query;
    this.#bufferBytes = init.bufferBytes;
    this.#history = init.history;
    this.#told = init.silenceTold;
  }

  /** Asks for a batch without entries when nothing came: so that the position goes on. */
  nudge(): void {
    this.#subscription?.nudge();
  }

  /** Ends after `lost`, or when the context aborts. Breaks of the connection are gone over. */
  async *happenings(ctx: Ctx): AsyncGenerator<Happening, void> {
    const release = this.#tail.hold(ctx);
    try {
      while (!ctx.signal.aborted) {
        if (!(await this.#tail.settled(ctx.signal))) {
          if (ctx.signal.aborted) return;
          yield* this.#silent();
          await this.#tail.standing(ctx.signal);
          continue;
        }
        this.#subscription = this.#tail.subscribe(this.#query, this.#bufferBytes);
        try {
          if ((yield* this.#read(ctx, this.#subscription)) === "lost") {
            yield { type: "lost", database: this.#database };
            return;
          }
        } finally {
          this.#subscription.end();
        }
      }
    } finally {
      release();
    }
  }

  *#silent(): Generator<Happening, void> {
    if (!this.#told) yield { type: "silent", database: this.#database };
    this.#told = true;
  }

  /** History up to the subscription's beginning, then the subscription until it ends. */
  async *#read(ctx: Ctx, subscription: TailSubscription): AsyncGenerator<Happening, "lost" | "ended"> {
    const { from } = subscription;
    const { incarnation } = this.#position;
    if (incarnation !== "" && incarnation !== from.incarnation) return "lost";
    // Also when it is ahead of the tail: only the database knows whether there is such a place.
    while (this.#position.revision !== from.revision) {
      const ahead = this.#position.revision > from.revision;
      try {
        yield this.#batch(await this.#history.read(ctx, this.#position));
      } catch (error) {
        if (ctx.signal.aborted) return "ended";
        if (isLost(error)) return "lost";
        ctx.log.warn("api.watch.history-unread", { database: this.#database, error });
        yield* this.#silent();
        await this.#history.pause(ctx);
        return "ended";
      }
      if (ahead || this.#position.revision >= from.revision) break;
    }
    if (this.#position.revision === from.revision)
      yield this.#batch({ entries: [], position: { ...from, revision: this.#position.revision } });
    for (;;) {
      const portion = await subscription.take(ctx.signal);
      if (portion === undefined) return "ended";
      yield this.#batch(portion);
    }
  }

  /** What of it is news, and asked for: the one place where that is decided. */
  #batch({ entries, position }: Stretch): Happening {
    const { revision: seen } = this.#position;
    const news = entries.filter((entry) => entry.revision > seen && isWanted(this.#query, entry));
    this.#position = position.revision > seen ? position : { ...position, revision: seen };
    this.#told = false;
    return { type: "batch", database: this.#database, entries: news, position: this.#position };
  }
}

/** Whether the feed says that it cannot continue from there, as opposed to saying nothing. */
const isLost = (error: unknown): boolean =>
  error instanceof KilonovaError && (error.kind === "invalid" || error.kind === "refused");
