import type {
  FeedEntry,
  ReadFeedRequest,
  ReadFeedResponse,
  WatchFeedRequest,
  WatchFeedResponse,
} from "../../../gen/kilonova/cells/v1/feed_service.js";
import { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import { isWanted } from "../../platform/db/feed/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import { FakeErrors } from "./fake-cells.js";

/** One database's numbered feed, in memory. */
export class FakeFeed {
  incarnation: string;
  compactedRevision = 0n;
  #entries: FeedEntry[] = [];
  #wake = new Set<() => void>();
  /** Whether it hands over what nobody asked for. */
  careless = false;
  broken = false;
  /** How many readers are attached. */
  watchers = 0;

  constructor(name: string) {
    this.incarnation = `life-of-${name}`;
  }

  get revision(): bigint {
    return BigInt(this.#entries.length);
  }

  instance(server: Server, eventType: string): void {
    this.#append({
      entityKind: "instance",
      entityId: server.id,
      projectId: server.projectId,
      generation: server.generation,
      eventType,
      payload: Buffer.from(Server.encode(server).finish()),
    });
  }

  operation(operation: Operation, generation: bigint): void {
    const entityId = parseOperationName(operation.name)?.operationId ?? "";
    this.#append({
      entityKind: "operation",
      entityId,
      projectId: operation.projectId,
      generation,
      eventType: "changed",
      payload: Buffer.from(Operation.encode(operation).finish()),
    });
  }

  /** Ends all readers as a lost connection does, and refuses new ones until it is mended. */
  break(): void {
    this.broken = true;
    for (const wake of this.#wake) wake();
  }

  /** Another life of the database: revisions start anew. */
  rebirth(incarnation: string): void {
    this.incarnation = incarnation;
    this.#entries = [];
  }

  /** One stretch, at most `most` entries long. */
  read(request: ReadFeedRequest, most = 2): ReadFeedResponse {
    this.#check(request);
    const from = Number(request.afterRevision);
    const looked = this.#entries.slice(from, from + most);
    return {
      entries: looked.filter((entry) => this.careless || isWanted(request, entry)),
      revision: request.afterRevision + BigInt(looked.length),
      incarnation: this.incarnation,
    };
  }

  #check({ incarnation, afterRevision }: ReadFeedRequest): void {
    if (
      (incarnation !== "" && incarnation !== this.incarnation) ||
      afterRevision < this.compactedRevision ||
      afterRevision > this.revision
    )
      throw FakeErrors.FEED_COMPACTED({ revision: this.compactedRevision.toString() });
  }

  async *watch(ctx: Ctx, request: WatchFeedRequest): AsyncGenerator<WatchFeedResponse, void> {
    this.#check(request);
    if (this.broken) throw CommonErrors.UNAVAILABLE({ what: "The feed" });
    this.watchers++;
    try {
      let from = request.afterRevision;
      while (!ctx.signal.aborted && !this.broken) {
        const news = this.#entries.slice(Number(from));
        const wanted = news.filter((entry) => this.careless || isWanted(request, entry));
        from = this.revision;
        if (news.length > 0) yield { entries: wanted, revision: from, incarnation: this.incarnation };
        else await this.#changed(ctx.signal);
      }
    } finally {
      this.watchers--;
    }
  }

  #append(entry: Omit<FeedEntry, "revision" | "at">): void {
    this.#entries.push({ ...entry, revision: this.revision + 1n, at: undefined });
    for (const wake of this.#wake) wake();
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake.delete(done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      this.#wake.add(done);
      signal.addEventListener("abort", done, { once: true });
    });
  }
}
