import type {
  FeedEntry,
  FeedServiceDefinition,
  WatchFeedResponse,
} from "../../../gen/kilonova/cells/v1/feed_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { FeedErrors } from "../../platform/db/feed/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { CellGuard } from "../cells/guard.js";
import type { BufferBudget } from "./tail-subscription.js";
import { TailSubscription } from "./tail-subscription.js";
import { WakeUps } from "./wake-ups.js";
import type { Position } from "./resume-token.js";

const RETRY_MS = 1_000;
/** What watches are told of. */
const WATCHED_KINDS = ["instance", "operation"];

/** What a tail needs. */
export interface TailDeps {
  readonly feed: Client<FeedServiceDefinition>;
  readonly guard: CellGuard;
  readonly clock: Clock;
  readonly budget: BufferBudget;
}

/** Whose entries, and of which kinds. */
export interface FeedQuery {
  /** "" for all projects. */
  readonly projectId: string;
  readonly entityKinds: readonly string[];
}

/**
 * The end of one database's feed, read once for all watches of this process. Runs while somebody holds it.
 * An entry is offered only to the subscriptions of its project, and to those of all projects.
 */
export class SharedTail {
  readonly #deps: TailDeps;
  readonly #database: string;
  readonly #byProject = new Map<string, Set<TailSubscription>>();
  readonly #changes = new WakeUps();
  #holders = 0;
  #running: AbortController | undefined;
  #state: "starting" | "standing" | "broken" = "starting";
  #position: Position = { incarnation: "", revision: 0n };

  constructor(deps: TailDeps, database: string) {
    this.#deps = deps;
    this.#database = database;
  }

  /** Where it stands; undefined while it does not. Everything up to there was offered. */
  get position(): Position | undefined {
    return this.#state === "standing" ? this.#position : undefined;
  }

  /** Keeps it running. @returns gives it back */
  hold(ctx: Ctx): () => void {
    if (this.#holders++ === 0) this.#start(ctx);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      if (--this.#holders === 0) this.#stop();
    };
  }

  /** Waits until it stands, or an attempt to reach the database has failed. @returns whether it stands */
  async settled(signal: AbortSignal): Promise<boolean> {
    while (this.#state === "starting" && !signal.aborted) await this.#changes.wait(signal);
    return this.#state === "standing";
  }

  /** Waits until it stands, or the signal aborts. */
  async standing(signal: AbortSignal): Promise<void> {
    while (this.#state !== "standing" && !signal.aborted) await this.#changes.wait(signal);
  }

  /**
   * What comes after `position`, from now on; only while it stands.
   * @param bufferBytes  what may wait for a slow reader before the subscription ends
   */
  subscribe(query: FeedQuery, bufferBytes: number): TailSubscription {
    const subscription = new TailSubscription(query.entityKinds, bufferBytes, this.#deps.budget, {
      position: () => this.#position,
      leave: () => {
        const rest = this.#byProject.get(query.projectId);
        rest?.delete(subscription);
        if (rest?.size === 0) this.#byProject.delete(query.projectId);
      },
    });
    const same = this.#byProject.get(query.projectId) ?? new Set();
    this.#byProject.set(query.projectId, same.add(subscription));
    return subscription;
  }

  #start({ log, requestId, globalRequestId, actor, peer, span }: Ctx): void {
    const running = new AbortController();
    this.#running = running;
    this.#state = "starting";
    // It outlives whoever came first.
    const own = { log, requestId, globalRequestId, actor, peer, span, deadlineMs: undefined };
    void this.#run({ ...own, signal: running.signal });
  }

  #stop(): void {
    this.#running?.abort();
    this.#fall("starting");
  }

  async #run(ctx: Ctx): Promise<void> {
    const { feed, guard, clock } = this.#deps;
    const database = this.#database;
    while (!ctx.signal.aborted) {
      try {
        const head = await guard.call(ctx, database, (inner) => feed.getFeedHead(inner, { database }));
        if (ctx.signal.aborted) return;
        this.#stand(head);
        const news = feed.watchFeed(ctx, {
          database,
          incarnation: head.incarnation,
          afterRevision: head.revision,
          entityKinds: WATCHED_KINDS,
          projectId: "",
        });
        for await (const batch of news) {
          if (ctx.signal.aborted) return;
          this.#put(batch);
        }
      } catch (error) {
        if (ctx.signal.aborted) return;
        ctx.log.warn("api.watch.feed-broken", { database, error });
      }
      if (ctx.signal.aborted) return;
      this.#fall("broken");
      await clock.sleep(RETRY_MS, ctx.signal).catch(() => undefined); // aborted: the loop's condition ends it
    }
  }

  #stand({ incarnation, revision }: Position): void {
    this.#position = { incarnation, revision };
    this.#state = "standing";
    this.#changes.wakeAll();
  }

  /** Subscriptions end: their readers go on by themselves from where they are. */
  #fall(state: "starting" | "broken"): void {
    this.#state = state;
    for (const subscriptions of [...this.#byProject.values()])
      for (const subscription of [...subscriptions]) subscription.end();
    this.#changes.wakeAll();
  }

  /** @throws in another life of the database: everybody begins anew */
  #put({ entries, revision, incarnation }: WatchFeedResponse): void {
    if (incarnation !== this.#position.incarnation) throw FeedErrors.UNKNOWN_INCARNATION({});
    this.#position = { incarnation, revision };
    for (const entry of entries) {
      this.#offer(entry, entry.projectId);
      if (entry.projectId !== "") this.#offer(entry, "");
    }
  }

  #offer(entry: FeedEntry, projectId: string): void {
    const subscriptions = this.#byProject.get(projectId);
    if (subscriptions === undefined) return;
    for (const subscription of subscriptions) subscription.offer(entry);
  }
}
