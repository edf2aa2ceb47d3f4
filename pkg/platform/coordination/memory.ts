import type { Ctx } from "../../kernel/ctx.js";
import { follow, whenAborted, whenFirstAborted } from "../../kernel/signals.js";
import type { Clock } from "../../kernel/time.js";
import { abortReason } from "../process/abort.js";
import { systemClock } from "../process/clock.js";
import { CoordinationErrors } from "./errors.js";
import { EventQueue } from "./event-queue.js";
import { LeaseKeeper } from "./keeper.js";
import type { CoordinationStore, KeyValue, Lease, Listing, WatchEvent } from "./ports.js";

/** Changes a watcher may lag behind before it gets a snapshot instead. */
const WATCH_BACKLOG = 10_000;

interface Entry extends KeyValue {
  readonly leaseId: number;
}
interface Watcher {
  readonly prefix: string;
  queue: EventQueue<WatchEvent>;
}

/**
 * The store inside one process: the embedded default, and the twin of etcd in unit tests. It forgets leases
 * by the same rules; what it cannot do is outlive the process. `connect` gives clients, whose links tests may
 * cut.
 */
export class MemoryCoordination {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  readonly #leases = new Map<
    number,
    { expiresMs: number; readonly ttlMs: number; readonly ended: AbortController }
  >();
  readonly #watchers = new Set<Watcher>();
  #revision = 0;
  #leaseIds = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  get clock(): Clock {
    return this.#clock;
  }

  connect(link: MemoryLink = new MemoryLink()): CoordinationStore {
    return new MemoryStore(this, link);
  }

  grant(ttlMs: number): number {
    const id = ++this.#leaseIds;
    this.#leases.set(id, {
      ttlMs,
      expiresMs: this.#clock.monotonicMs() + ttlMs,
      ended: new AbortController(),
    });
    void this.#expireInTime(id);
    return id;
  }

  /** @returns false when the lease is gone */
  renew(id: number): boolean {
    const lease = this.#leases.get(id);
    if (lease === undefined) return false;
    lease.expiresMs = this.#clock.monotonicMs() + lease.ttlMs;
    return true;
  }

  revoke(id: number): void {
    this.#leases.get(id)?.ended.abort();
    this.#leases.delete(id);
    for (const entry of [...this.#entries.values()]) if (entry.leaseId === id) this.delete(entry.key);
  }

  put(leaseId: number, key: string, value: string): number {
    if (!this.#leases.has(leaseId)) throw CoordinationErrors.LEASE_LOST({});
    const revision = ++this.#revision;
    const entry: Entry = { key, value, leaseId };
    this.#entries.set(key, entry);
    this.#tell({ kind: "put", entry: publicOf(entry) }, key);
    return revision;
  }

  delete(key: string): void {
    if (!this.#entries.delete(key)) return;
    this.#revision++;
    this.#tell({ kind: "delete", key }, key);
  }

  get(key: string): KeyValue | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined ? undefined : publicOf(entry);
  }

  list(prefix: string): Listing {
    const entries = [...this.#entries.values()].filter(({ key }) => key.startsWith(prefix)).map(publicOf);
    return { entries: entries.sort((a, b) => (a.key < b.key ? -1 : 1)), revision: this.#revision };
  }

  attach(prefix: string): Watcher {
    const watcher: Watcher = { prefix, queue: new EventQueue(WATCH_BACKLOG) };
    watcher.queue.push({ kind: "snapshot", entries: this.list(prefix).entries });
    this.#watchers.add(watcher);
    return watcher;
  }

  detach(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    watcher.queue.end();
  }

  #tell(event: WatchEvent, key: string): void {
    for (const watcher of [...this.#watchers]) {
      if (key.startsWith(watcher.prefix) && !watcher.queue.push(event)) this.detach(watcher);
    }
  }

  async #expireInTime(id: number): Promise<void> {
    for (;;) {
      const lease = this.#leases.get(id);
      if (lease === undefined) return;
      const leftMs = lease.expiresMs - this.#clock.monotonicMs();
      if (leftMs <= 0) {
        this.revoke(id);
        return;
      }
      await this.#clock.sleep(leftMs, lease.ended.signal).catch(() => {});
    }
  }
}

const publicOf = ({ key, value }: Entry): KeyValue => ({ key, value });

/** One client's way to the store. Tests stall it; what is under way then waits, as behind a dead network. */
export class MemoryLink {
  #stalled = false;
  readonly #waiting = new Set<() => void>();

  stall(): void {
    this.#stalled = true;
  }

  heal(): void {
    this.#stalled = false;
    for (const wake of [...this.#waiting]) wake();
    this.#waiting.clear();
  }

  /**
   * Passes at once when the link works, else when it does again. @throws the reason of the first signal that
   * aborts
   */
  async pass(...signals: readonly AbortSignal[]): Promise<void> {
    while (this.#stalled && !signals.some(({ aborted }) => aborted)) {
      await new Promise<void>((resolve) => {
        const pass = (): void => {
          leave();
          resolve();
        };
        this.#waiting.add(pass);
        const leave = whenFirstAborted(signals, resolve);
      });
    }
    for (const signal of signals) signal.throwIfAborted();
  }
}

class MemoryStore implements CoordinationStore {
  readonly #cluster: MemoryCoordination;
  readonly #link: MemoryLink;
  readonly #closed = new AbortController();

  constructor(cluster: MemoryCoordination, link: MemoryLink) {
    this.#cluster = cluster;
    this.#link = link;
  }

  async #reach(ctx: Ctx): Promise<MemoryCoordination> {
    try {
      await this.#link.pass(ctx.signal, this.#closed.signal);
    } catch {
      throw ctx.signal.aborted ? abortReason(ctx) : CoordinationErrors.STORE_UNAVAILABLE({});
    }
    return this.#cluster;
  }

  async grant(ctx: Ctx, ttlMs: number): Promise<Lease> {
    const cluster = await this.#reach(ctx);
    const keeper = new LeaseKeeper(cluster.clock, ttlMs, cluster.clock.monotonicMs());
    const id = cluster.grant(ttlMs);
    whenAborted(this.#closed.signal, () => keeper.lose());
    void keeper.run(async (signal) => {
      await this.#link.pass(signal, this.#closed.signal);
      return cluster.renew(id) ? "renewed" : "gone";
    });
    const checked = async (inner: Ctx): Promise<MemoryCoordination> => {
      if (!keeper.held) throw CoordinationErrors.LEASE_LOST({});
      return this.#reach(inner);
    };
    return {
      id: String(id),
      ttlMs,
      signal: keeper.signal,
      get held() {
        return keeper.held;
      },
      put: async (inner, key, value) => (await checked(inner)).put(id, key, value),
      delete: async (inner, key) => (await this.#reach(inner)).delete(key),
      revoke: async (inner) => {
        keeper.end();
        await this.#reach(inner).then(
          (reached) => reached.revoke(id),
          () => {},
        );
      },
    };
  }

  async get(ctx: Ctx, key: string): Promise<KeyValue | undefined> {
    return (await this.#reach(ctx)).get(key);
  }

  async list(ctx: Ctx, prefix: string): Promise<Listing> {
    return (await this.#reach(ctx)).list(prefix);
  }

  async *watch(ctx: Ctx, prefix: string): AsyncGenerator<WatchEvent, void, void> {
    const either = new AbortController();
    const releases = [ctx.signal, this.#closed.signal].map((signal) => follow(either, signal));
    try {
      yield* this.#watch(either.signal, prefix);
    } finally {
      for (const release of releases) release();
    }
  }

  async *#watch(signal: AbortSignal, prefix: string): AsyncGenerator<WatchEvent, void, void> {
    while (!signal.aborted) {
      const watcher = this.#cluster.attach(prefix);
      const stop = (): void => this.#cluster.detach(watcher);
      const leave = whenAborted(signal, stop);
      try {
        for (
          let event = await watcher.queue.next();
          event !== undefined && !signal.aborted;
          event = await watcher.queue.next()
        ) {
          if (
            !(await this.#link.pass(signal).then(
              () => true,
              () => false,
            ))
          )
            return;
          yield event;
        }
      } finally {
        leave();
        stop();
      }
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
  }
}
