import assert from "node:assert/strict";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { testCtx } from "../../../testkit/ctx.js";
import { until } from "../../../testkit/until.js";
import type { CoordinationStore, Lease, WatchEvent } from "../ports.js";

/** One client whose way to the store the suite can stall: what it sends is neither answered nor refused. */
export interface TestClient {
  readonly store: CoordinationStore;
  stall(): void;
  heal(): void;
}

export interface CoordinationHarness {
  connect(): Promise<TestClient>;
  /** A TTL short enough for tests, as the store grants it. */
  readonly ttlMs: number;
  /** Cuts all connections, or whatever comes closest; clients must find back by themselves. */
  interrupt(): Promise<void>;
  close(): Promise<void>;
}

const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

/** A watch that is followed in the background; `state` is what a reader that obeys the events would know. */
class Follower {
  readonly state = new Map<string, string>();
  readonly events: WatchEvent[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(store: CoordinationStore, prefix: string) {
    const ctx = testCtx({ signal: this.#stop.signal, deadlineMs: undefined });
    this.#done = this.#follow(store.watch(ctx, prefix));
  }

  async #follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      this.events.push(event);
      if (event.kind === "snapshot") {
        this.state.clear();
        for (const { key, value } of event.entries) this.state.set(key, value);
      } else if (event.kind === "put") this.state.set(event.entry.key, event.entry.value);
      else this.state.delete(event.key);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

/** What every coordination store promises. The loop over the stores is where this is called. */
export function coordinationConformance(name: string, make: () => Promise<CoordinationHarness>): void {
  describe(`CoordinationStore on ${name}`, () => {
    let harness: CoordinationHarness;
    let a: TestClient;
    let b: TestClient;
    let prefix: string;
    let round = 0;
    const ctx = (): Ctx => testCtx({ deadlineMs: Date.now() + 30_000 });
    const followers: Follower[] = [];
    const follow = (client: TestClient, what = prefix): Follower => {
      const follower = new Follower(client.store, what);
      followers.push(follower);
      return follower;
    };
    const present = async (key: string): Promise<boolean> => (await b.store.get(ctx(), key)) !== undefined;

    before(async () => {
      harness = await make();
    });
    after(async () => {
      await harness.close();
    });
    beforeEach(async () => {
      a = await harness.connect();
      b = await harness.connect();
      prefix = `/test/${++round}/`;
    });
    afterEach(async () => {
      a.heal();
      b.heal();
      await Promise.all(followers.splice(0).map((follower) => follower.stop()));
      await Promise.all([a.store.close(), b.store.close()]);
    });

    it("shows what a lease holds to everybody, by key and by prefix", async () => {
      const lease = await a.store.grant(ctx(), harness.ttlMs);
      await lease.put(ctx(), `${prefix}b`, "2");
      await lease.put(ctx(), `${prefix}a`, "ä");
      await lease.put(ctx(), `/test-elsewhere/${round}`, "x");
      const { entries } = await b.store.list(ctx(), prefix);
      assert.deepEqual(
        entries.map(({ key, value }) => [key, value]),
        [
          [`${prefix}a`, "ä"],
          [`${prefix}b`, "2"],
        ],
      );
      assert.equal((await b.store.get(ctx(), `${prefix}b`))?.value, "2");
      assert.equal(await b.store.get(ctx(), `${prefix}c`), undefined);
      await lease.revoke(ctx());
    });

    it("keeps a lease alive far beyond its TTL while the holder lives", async () => {
      const lease = await a.store.grant(ctx(), harness.ttlMs);
      await lease.put(ctx(), `${prefix}k`, "1");
      const endMs = performance.now() + harness.ttlMs * 2.5;
      await until(
        () => {
          assert.ok(lease.held);
          return performance.now() > endMs;
        },
        { timeoutMs: harness.ttlMs * 4, everyMs: 20 },
      );
      assert.equal(await present(`${prefix}k`), true);
      await lease.revoke(ctx());
    });

    it("drops a lease's keys when it is given back, and refuses it afterwards", async () => {
      const lease = await a.store.grant(ctx(), harness.ttlMs);
      await lease.put(ctx(), `${prefix}k`, "1");
      await lease.revoke(ctx());
      assert.equal(await present(`${prefix}k`), false);
      assert.equal(lease.held, false);
      assert.ok(reasonOf("LEASE_REVOKED")(lease.signal.reason));
      await assert.rejects(lease.put(ctx(), `${prefix}k`, "2"), reasonOf("LEASE_LOST"));
    });

    it("fences a holder that cannot reach the store before the store gives its keys up", async () => {
      const lease = await a.store.grant(ctx(), harness.ttlMs);
      await lease.put(ctx(), `${prefix}k`, "1");
      const follower = follow(b);
      await until(() => follower.state.size === 1);
      const order: string[] = [];
      lease.signal.addEventListener("abort", () => order.push("fenced"));
      a.stall();
      await until(() => follower.state.size === 0, {
        timeoutMs: harness.ttlMs * 3 + 3_000,
        what: "the keys to vanish",
      });
      order.push("vanished");
      assert.deepEqual(order, ["fenced", "vanished"]);
      assert.ok(reasonOf("LEASE_LOST")(lease.signal.reason));
      assert.equal(lease.held, false);
    });

    it("ends calls to a store that does not answer with the caller's time", async () => {
      a.stall();
      await assert.rejects(
        a.store.get(testCtx({ signal: AbortSignal.timeout(100) }), `${prefix}k`),
        (error) => error instanceof KilonovaError,
      );
    });

    it("tells a watcher first what is, then what changes, in order", async () => {
      const lease = await a.store.grant(ctx(), harness.ttlMs);
      await lease.put(ctx(), `${prefix}old`, "0");
      const follower = follow(b);
      await until(() => follower.events.length === 1);
      for (let i = 1; i <= 20; i++) await lease.put(ctx(), `${prefix}k`, String(i));
      await lease.delete(ctx(), `${prefix}old`);
      await lease.put(ctx(), "/test-elsewhere/k", "x");
      await until(() => follower.events.length === 22);
      assert.deepEqual(
        follower.events.map((event) => (event.kind === "put" ? event.entry.value : event.kind)),
        ["snapshot", ...Array.from({ length: 20 }, (_, i) => String(i + 1)), "delete"],
      );
      assert.deepEqual([...follower.state], [[`${prefix}k`, "20"]]);
      await lease.revoke(ctx());
      await until(() => follower.state.size === 0);
    });

    it("loses no change over an interruption", async () => {
      const follower = follow(b);
      await until(() => follower.events.length === 1);
      let lease: Lease | undefined;
      const expected = new Map<string, string>();
      const put = (key: string, value: string): Promise<unknown> =>
        until(
          async () => {
            if (lease === undefined || !lease.held) {
              lease = await a.store.grant(ctx(), 60_000);
              expected.clear();
            }
            await lease.put(ctx(), key, value);
            expected.set(key, value);
            return true;
          },
          { timeoutMs: 20_000 },
        );
      for (let i = 0; i < 10; i++) await put(`${prefix}k${i}`, "before");
      await harness.interrupt();
      for (let i = 5; i < 15; i++) await put(`${prefix}k${i}`, "after");
      await lease?.delete(ctx(), `${prefix}k0`);
      expected.delete(`${prefix}k0`);
      await until(
        () => {
          assert.deepEqual(follower.state, expected);
          return true;
        },
        { timeoutMs: 15_000, what: "the watcher to know all" },
      );
      await lease?.revoke(ctx());
    });

    it("ends watches and leases when it is closed", async () => {
      const lease = await a.store.grant(ctx(), harness.ttlMs);
      const follower = follow(a);
      await until(() => follower.events.length === 1);
      await a.store.close();
      await until(() => lease.signal.aborted);
      await assert.rejects(a.store.get(ctx(), "/k"), reasonOf("STORE_UNAVAILABLE"));
    });
  });
}
