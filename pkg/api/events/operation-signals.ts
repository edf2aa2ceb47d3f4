import type { FeedEntry, FeedServiceDefinition } from "../../../gen/kilonova/cells/v1/feed_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { Client } from "../../platform/rpc/index.js";
import type { Databases } from "../cells/databases.js";
import { linkedAbort } from "./linked-abort.js";
import { GLOBAL } from "../../model/database-names.js";

const RETRY_MS = 1_000;
/** How often new cells are looked for; the list itself is read less often. */
const CELLS_MS = 1_000;

/** News of one operation. */
export interface Subscription {
  /**
   * Resolves when the operation may have changed since the last call, or after `ms`. Rejects when the signal
   * aborts.
   */
  next(ms: number, signal: AbortSignal): Promise<void>;
  close(): void;
}

interface Waiter {
  changed: boolean;
  wake: (() => void) | undefined;
}

/**
 * Tells waiters that an operation changed: one feed per database serves all of them, none asks again on a
 * timer. After a broken or restarted feed everybody looks once, as anything may have been missed.
 */
export class OperationSignals {
  readonly #feed: Client<FeedServiceDefinition>;
  readonly #databases: Databases;
  readonly #clock: Clock;
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #stop = new AbortController();
  readonly #followed = new Set<string>();
  readonly #tasks = new Set<Promise<void>>();

  constructor(feed: Client<FeedServiceDefinition>, databases: Databases, clock: Clock) {
    this.#feed = feed;
    this.#databases = databases;
    this.#clock = clock;
  }

  /** Follows all feeds until `close`. */
  start(ctx: Ctx): void {
    this.#run(this.#followAll({ ...ctx, signal: this.#stop.signal, deadlineMs: undefined }));
  }

  /** Ends the feeds; waiters only have their timeouts left. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#tasks);
  }

  /** @param name  the operation's name */
  subscribe(name: string): Subscription {
    const key = parseOperationName(name)?.operationId ?? name;
    const waiter: Waiter = { changed: false, wake: undefined };
    const all = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, all.add(waiter));
    return {
      next: (ms, signal) => this.#next(waiter, ms, signal),
      close: () => {
        all.delete(waiter);
        if (all.size === 0) this.#waiters.delete(key);
      },
    };
  }

  async #next(waiter: Waiter, ms: number, signal: AbortSignal): Promise<void> {
    if (!waiter.changed) {
      const timer = linkedAbort(signal);
      const woken = new Promise<void>((resolve) => {
        waiter.wake = resolve;
      });
      try {
        await Promise.race([woken, this.#clock.sleep(ms, timer.signal)]);
      } finally {
        timer.release();
        timer.abort();
        waiter.wake = undefined;
      }
    }
    waiter.changed = false;
  }

  #tell(waiters: Iterable<Waiter>): void {
    for (const waiter of waiters) {
      waiter.changed = true;
      waiter.wake?.();
    }
  }

  #tellAll(): void {
    for (const waiters of this.#waiters.values()) this.#tell(waiters);
  }

  #run(task: Promise<void>): void {
    const tracked = task.finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }

  /** New cells appear while we run. */
  async #followAll(ctx: Ctx): Promise<void> {
    while (!ctx.signal.aborted) {
      try {
        for (const database of [GLOBAL, ...(await this.#databases.cells(ctx))]) {
          if (this.#followed.has(database)) continue;
          this.#followed.add(database);
          this.#run(this.#follow(ctx, database));
        }
      } catch (error) {
        if (!ctx.signal.aborted) ctx.log.warn("api.feed.cells-unknown", { error });
      }
      await this.#pause(ctx, CELLS_MS);
    }
  }

  async #follow(ctx: Ctx, database: string): Promise<void> {
    while (!ctx.signal.aborted) {
      try {
        const { incarnation, revision } = await this.#feed.getFeedHead(ctx, { database });
        this.#tellAll(); // whatever happened before the head was read
        for await (const { entries } of this.#feed.watchFeed(ctx, {
          database,
          incarnation,
          afterRevision: revision,
          entityKinds: ["operation"],
          projectId: "",
        })) {
          this.#tellOf(entries);
        }
      } catch (error) {
        if (!ctx.signal.aborted) ctx.log.warn("api.feed.broken", { database, error });
      }
      await this.#pause(ctx, RETRY_MS);
    }
  }

  #tellOf(entries: readonly FeedEntry[]): void {
    for (const { entityId } of entries)
      this.#tell(this.#waiters.get(parseOperationName(entityId)?.operationId ?? entityId) ?? []);
  }

  async #pause(ctx: Ctx, ms: number): Promise<void> {
    try {
      await this.#clock.sleep(ms, ctx.signal);
    } catch {
      // aborted: the loop's condition ends it
    }
  }
}
