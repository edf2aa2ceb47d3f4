import { Operation } from "../../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Clock } from "../../../kernel/time.js";
import { whenAborted } from "../../../kernel/signals.js";
import { parseOperationName } from "../../../model/operation-name.js";
import { FeedErrors, fitting, isWanted } from "../../../platform/db/feed/index.js";
import type {
  FeedEntry,
  FeedEvent,
  FeedHead,
  FeedPage,
  FeedPosition,
  FeedReader,
  FeedSelection,
  PageLimit,
} from "../../../platform/db/feed/index.js";
import { encoded } from "../../domain/bytes.js";

/** Entries that one bounded read looks at. */
const STRETCH = 2_000;

/** One database's numbered feed in memory, with switches for what can befall a feed. */
export class TwinFeed implements FeedReader {
  /** Changes with `rebirth`. */
  incarnation: string;
  /** How many readers follow it now. */
  watchers = 0;
  /** Whether it hands over what nobody asked for. */
  careless = false;
  /** Whether it refuses readers; `break` also ends those that are there. */
  broken = false;
  /** Entries in one bounded read, at most. */
  readsAtMost = Infinity;
  readonly #clock: Pick<Clock, "now">;
  #entries: FeedEntry[] = [];
  #compacted = 0;
  readonly #wake = new Set<() => void>();

  constructor(database: string, clock: Pick<Clock, "now">) {
    this.incarnation = `life-of-${database}`;
    this.#clock = clock;
  }

  get revision(): number {
    return this.#compacted + this.#entries.length;
  }

  /** Adds what one transaction tells. As in SQL, lower generations are numbered first. */
  tell(events: readonly FeedEvent[]): void {
    const createdAt = this.#clock.now();
    for (const event of [...events].sort((a, b) => a.generation - b.generation))
      this.#entries.push({ ...event, revision: this.revision + 1, createdAt });
    this.#ring();
  }

  /** Tells of a server as it is given, whatever the database has. */
  instance(server: Server, eventType: string): void {
    this.tell([
      {
        entityKind: "instance",
        entityId: server.id,
        projectId: server.projectId,
        generation: Number(server.generation),
        eventType,
        payload: encoded(Server, server),
      },
    ]);
  }

  /** As `instance`, for an operation. */
  operation(operation: Operation, generation: bigint): void {
    this.tell([
      {
        entityKind: "operation",
        entityId: parseOperationName(operation.name)?.operationId ?? "",
        projectId: operation.projectId ?? "",
        generation: Number(generation),
        eventType: "changed",
        payload: encoded(Operation, operation),
      },
    ]);
  }

  /** Forgets entries up to a revision. */
  compact(revision: number): void {
    this.#entries = this.#entries.filter((entry) => entry.revision > revision);
    this.#compacted = Math.max(this.#compacted, revision);
  }

  /** Another life of the database: revisions start anew. */
  rebirth(incarnation: string): void {
    this.incarnation = incarnation;
    this.#entries = [];
    this.#compacted = 0;
  }

  /** Ends all readers as a lost connection does, and refuses new ones until `broken` is taken back. */
  break(): void {
    this.broken = true;
    this.#ring();
  }

  head(_ctx: Ctx): Promise<FeedHead> {
    const { incarnation, revision } = this;
    return Promise.resolve({ incarnation, revision, compacted: this.#compacted, expected: revision });
  }

  async readAfter(_ctx: Ctx, position: FeedPosition, limit: PageLimit): Promise<FeedPage> {
    return this.#after(position, limit);
  }

  async readMatching(
    _ctx: Ctx,
    position: FeedPosition,
    wanted: FeedSelection,
    limit: PageLimit,
  ): Promise<FeedPage> {
    const page = this.#after(position, { rows: Math.min(STRETCH, this.readsAtMost), bytes: Infinity });
    const found = page.entries.filter((entry) => this.careless || isWanted(wanted, entry));
    const entries = fitting(found, limit);
    const last = entries.length < found.length ? entries.at(-1)?.revision : undefined;
    return { ...page, entries, position: { ...page.position, revision: last ?? page.position.revision } };
  }

  async *follow(ctx: Ctx, from: FeedPosition, limit: PageLimit): AsyncGenerator<FeedPage, void, void> {
    this.watchers++;
    try {
      let position = from;
      while (!ctx.signal.aborted) {
        if (this.broken) throw CommonErrors.UNAVAILABLE({ what: "The feed" });
        const page = this.#after(position, limit);
        position = page.position;
        if (page.entries.length > 0) yield page;
        else await this.#changed(ctx.signal);
      }
    } finally {
      this.watchers--;
    }
  }

  #after({ incarnation, revision }: FeedPosition, limit: PageLimit): FeedPage {
    if (incarnation !== "" && incarnation !== this.incarnation) throw FeedErrors.UNKNOWN_INCARNATION({});
    const { revision: head } = this;
    if (revision < this.#compacted || revision > head)
      throw FeedErrors.COMPACTED({ revision, compacted: this.#compacted, head });
    const at = revision - this.#compacted;
    const entries = fitting(this.#entries.slice(at), limit);
    const last = entries.at(-1)?.revision ?? revision;
    return { entries, head, position: { incarnation: this.incarnation, revision: last } };
  }

  #ring(): void {
    for (const wake of this.#wake) wake();
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      let leave = (): void => {};
      const done = (): void => {
        this.#wake.delete(done);
        leave();
        resolve();
      };
      this.#wake.add(done);
      leave = whenAborted(signal, done);
    });
  }
}
