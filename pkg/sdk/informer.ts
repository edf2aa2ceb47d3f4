import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  ListServersRequestSchema,
  ListServersResponse,
  Server,
  WatchEventsResponse,
} from "./messages.gen.js";
import { EventType } from "./messages.gen.js";
import { KilonovaError } from "./errors.js";

/** What is told of a server, with what the cache had and has of it. */
export type Change<T> =
  | { readonly type: "added"; readonly id: string; readonly now: T }
  | { readonly type: "changed"; readonly id: string; readonly before: T; readonly now: T }
  | { readonly type: "deleted"; readonly id: string; readonly before: T };

/** How a cache is filled. */
export interface InformerOptions<T> {
  /** Of all projects; needs the right to. */
  readonly allProjects?: boolean | undefined;
  /** What is kept of each server, so that the cache stays small. Default: all of it. */
  readonly keep?: (server: Server) => T;
  /** Called for each change, in order; nothing waits for it. What it throws ends the informer. */
  readonly onChange?: (change: Change<T>) => void;
  /** Most servers; more end the informer with RESOURCE_EXHAUSTED. Default 100,000. */
  readonly maxServers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an informer needs of the client. */
export interface InformerSource {
  pages(request: MessageInitShape<typeof ListServersRequestSchema>): AsyncIterable<ListServersResponse>;
  watch(resumeToken: string, signal: AbortSignal): AsyncIterable<WatchEventsResponse>;
}

interface Entry<T> {
  readonly generation: bigint;
  readonly value: T;
}

const MAX_SERVERS = 100_000;

/**
 * A cache of servers that keeps itself up to date: filled by a list, then told by a watch that goes on from
 * it. It holds each server once and no history, and queues nothing.
 */
export class Informer<T = Server> {
  readonly #source: InformerSource;
  readonly #options: InformerOptions<T>;
  readonly #cache = new Map<string, Entry<T>>();
  readonly #abort = new AbortController();
  readonly #ready: Promise<void>;
  readonly #closed: Promise<void>;
  /** During a snapshot: which servers it has told of. */
  #told: Set<string> | undefined;
  /** A cell that is silent during a snapshot tells of its servers later. */
  #silentCell = false;

  constructor(source: InformerSource, options: InformerOptions<T>) {
    this.#source = source;
    this.#options = options;
    const { signal } = options;
    signal?.addEventListener("abort", () => this.#abort.abort(signal.reason), { once: true });
    if (signal?.aborted === true) this.#abort.abort(signal.reason);
    let filled = (): void => undefined;
    let failed: (error: unknown) => void = () => undefined;
    this.#ready = new Promise((resolve, reject) => ([filled, failed] = [resolve, reject]));
    this.#closed = this.#run(filled, failed);
    // Whoever waits for neither hears of a failure by nothing else; it must not end the process.
    this.#closed.catch(() => undefined);
    this.#ready.catch(() => undefined);
  }

  /** Resolves when the list is complete. @throws KilonovaError when that failed */
  ready(): Promise<void> {
    return this.#ready;
  }

  /** Resolves when it was stopped. @throws KilonovaError when it cannot go on */
  closed(): Promise<void> {
    return this.#closed;
  }

  /** Stops it; the cache stays as it is. */
  close(): void {
    this.#abort.abort();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get size(): number {
    return this.#cache.size;
  }
  get(id: string): T | undefined {
    return this.#cache.get(id)?.value;
  }
  *values(): Generator<T, void> {
    for (const { value } of this.#cache.values()) yield value;
  }

  async #run(filled: () => void, failed: (error: unknown) => void): Promise<void> {
    try {
      const resumeToken = await this.#list();
      filled();
      for await (const event of this.#source.watch(resumeToken, this.#abort.signal)) this.#take(event);
    } catch (error) {
      if (this.#abort.signal.aborted) return filled();
      failed(error);
      throw error;
    }
  }

  async #list(): Promise<string> {
    let resumeToken = "";
    const { allProjects = false } = this.#options;
    for await (const page of this.#source.pages({ allProjects, withResumeToken: true, pageSize: 1000 })) {
      this.#abort.signal.throwIfAborted();
      resumeToken ||= page.resumeToken;
      for (const server of page.servers) this.#put(server);
    }
    return resumeToken;
  }

  #take({ type, server }: WatchEventsResponse): void {
    switch (type) {
      case EventType.RESET:
        this.#told = new Set();
        this.#silentCell = false;
        return;
      case EventType.CELL_UNREACHABLE:
        this.#silentCell = true;
        return;
      case EventType.SNAPSHOT_END:
        if (!this.#silentCell)
          for (const id of this.#cache.keys()) if (this.#told?.has(id) === false) this.#drop(id);
        this.#told = undefined;
        return;
      case EventType.SERVER_DELETED:
        if (server) this.#drop(server.id);
        return;
      case EventType.SERVER_CHANGED:
      case EventType.SNAPSHOT:
        if (!server) return;
        this.#told?.add(server.id);
        this.#put(server);
    }
  }

  #put(server: Server): void {
    const { keep, onChange, maxServers = MAX_SERVERS } = this.#options;
    const { id, generation } = server;
    const known = this.#cache.get(id);
    if (known && generation <= known.generation) return;
    if (!known && this.#cache.size >= maxServers)
      throw new KilonovaError(`there are more than ${maxServers} servers`, {
        code: "RESOURCE_EXHAUSTED",
        reason: "RESOURCE_EXHAUSTED",
      });
    const now = keep ? keep(server) : (server as T);
    this.#cache.set(id, { generation, value: now });
    onChange?.(known ? { type: "changed", id, before: known.value, now } : { type: "added", id, now });
  }

  #drop(id: string): void {
    const known = this.#cache.get(id);
    if (!known) return;
    this.#cache.delete(id);
    this.#options.onChange?.({ type: "deleted", id, before: known.value });
  }
}
