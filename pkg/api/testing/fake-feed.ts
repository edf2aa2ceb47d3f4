import type {
  FeedEntry,
  WatchFeedRequest,
  WatchFeedResponse,
} from "../../../gen/kilonova/cells/v1/feed_service.js";
import { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import { FakeErrors } from "./fake-cells.js";

/** One database's numbered feed, in memory. */
export class FakeFeed {
  incarnation: string;
  compactedRevision = 0n;
  #entries: FeedEntry[] = [];
  #wake = new Set<() => void>();
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

  /** Another life of the database: revisions start anew. */
  rebirth(incarnation: string): void {
    this.incarnation = incarnation;
    this.#entries = [];
  }

  async *watch(ctx: Ctx, request: WatchFeedRequest): AsyncGenerator<WatchFeedResponse, void> {
    if (
      (request.incarnation !== "" && request.incarnation !== this.incarnation) ||
      request.afterRevision < this.compactedRevision
    ) {
      throw FakeErrors.FEED_COMPACTED({ revision: this.compactedRevision.toString() });
    }
    this.watchers++;
    try {
      let from = request.afterRevision;
      while (!ctx.signal.aborted) {
        const news = this.#entries.slice(Number(from));
        const wanted = news.filter(
          (entry) =>
            (request.entityKinds.length === 0 || request.entityKinds.includes(entry.entityKind)) &&
            (request.projectId === "" || entry.projectId === request.projectId),
        );
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
