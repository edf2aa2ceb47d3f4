import { EventType } from "../../../gen/kilonova/api/v1/operations_service.js";
import type {
  WatchEventsRequest,
  WatchEventsResponse,
} from "../../../gen/kilonova/api/v1/operations_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { until } from "../../../pkg/testkit/until.js";
import type { GrpcUser } from "./grpc-user.js";
import { call } from "./grpc-user.js";

const vmStates = new Map<number, string>(
  Object.entries(VmState).map(([name, value]) => [value, name.replace("VM_STATE_", "")]),
);

/** One state of a server as a watcher saw it. */
export interface Sight {
  readonly serverId: string;
  readonly generation: bigint;
  readonly text: string;
}

/** Reads a watch and keeps what it saw, until it is stopped or the stream breaks. */
export class Watcher {
  readonly events: WatchEventsResponse[] = [];
  /** What ended the stream, when it was not `stop`. */
  broken: unknown;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  private constructor(
    user: GrpcUser,
    wish: Partial<WatchEventsRequest>,
    stopAfter: (event: WatchEventsResponse) => boolean,
  ) {
    this.#done = this.#read(
      user.events.watchEvents(call({ signal: this.#stop.signal, deadlineMs: undefined }), wish),
      stopAfter,
    );
  }

  /**
   * Begins to watch. Without a token it returns when the watch has begun: what happens from now on is seen.
   * @param stopAfter  the first event for which it holds is the last one read
   */
  static async open(
    user: GrpcUser,
    wish: Partial<WatchEventsRequest> = {},
    stopAfter: (event: WatchEventsResponse) => boolean = () => false,
  ): Promise<Watcher> {
    const watcher = new Watcher(user, wish, stopAfter);
    if (wish.resumeToken) return watcher;
    await watcher.until(
      () => watcher.events.length > 0 || watcher.broken !== undefined,
      "the watch to begin",
    );
    if (watcher.events.length === 0) throw watcher.broken;
    return watcher;
  }

  /** Where to go on after the last event read. */
  get token(): string {
    return this.events.at(-1)?.resumeToken ?? "";
  }

  /** Every state of servers, in the order in which they were told. */
  get sights(): readonly Sight[] {
    return this.events.flatMap(({ type, server }) =>
      server === undefined
        ? []
        : [
            {
              serverId: server.id,
              generation: server.generation,
              text:
                type === EventType.EVENT_TYPE_SERVER_DELETED
                  ? "deleted"
                  : `${vmStates.get(server.vmState)}/${server.taskState ?? ""}`,
            },
          ],
    );
  }

  of(serverId: string): readonly Sight[] {
    return this.sights.filter((sight) => sight.serverId === serverId);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    await until(condition, { timeoutMs: 180_000, what });
  }

  /** Ends when the stream has ended by itself. */
  ended(): Promise<void> {
    return this.#done;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #read(
    stream: AsyncIterable<WatchEventsResponse>,
    stopAfter: (event: WatchEventsResponse) => boolean,
  ): Promise<void> {
    try {
      for await (const event of stream) {
        this.events.push(event);
        if (stopAfter(event)) return;
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.broken = error;
    }
  }
}
