import assert from "node:assert/strict";
import { createConnection, createServer } from "node:net";
import type { Socket } from "node:net";
import { connectEtcd } from "../../pkg/platform/coordination/index.js";
import { coordinationConformance } from "../../pkg/platform/coordination/testing/conformance.js";
import type { TestClient } from "../../pkg/platform/coordination/testing/conformance.js";
import type { CoordinationStore, WatchEvent } from "../../pkg/platform/coordination/index.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { startTestEtcd } from "../../pkg/testkit/etcd.js";
import type { TestEtcd } from "../../pkg/testkit/etcd.js";
import { startEntry } from "../../pkg/testkit/processes.js";
import { until } from "../../pkg/testkit/until.js";

/** A way to etcd that can stall (bytes wait, connections stay open) and be cut. */
class Proxy {
  readonly #sockets = new Set<Socket>();
  readonly #server;
  #stalled = false;

  constructor(target: number) {
    this.#server = createServer((client) => {
      const upstream = createConnection(target, "127.0.0.1");
      for (const socket of [client, upstream]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.on("data", (data) => upstream.write(data));
      upstream.on("data", (data) => client.write(data));
      if (this.#stalled) for (const socket of [client, upstream]) socket.pause();
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? `http://127.0.0.1:${address.port}` : "";
  }

  stall(): void {
    this.#stalled = true;
    for (const socket of this.#sockets) socket.pause();
  }
  heal(): void {
    this.#stalled = false;
    for (const socket of this.#sockets) socket.resume();
  }
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

async function connectThroughProxy(etcd: TestEtcd, proxies: Set<Proxy>): Promise<TestClient> {
  const proxy = new Proxy(etcd.port);
  const store = await connectEtcd({ endpoints: [await proxy.listen()] });
  proxies.add(proxy);
  const close = async (): Promise<void> => {
    await store.close();
    proxies.delete(proxy);
    await proxy.close();
  };
  return { store: { ...store, close }, stall: () => proxy.stall(), heal: () => proxy.heal() };
}

coordinationConformance("etcd, its connections cut", async () => {
  const etcd = await startTestEtcd();
  const proxies = new Set<Proxy>();
  return {
    ttlMs: 2_000,
    connect: () => connectThroughProxy(etcd, proxies),
    interrupt: async () => {
      for (const proxy of proxies) proxy.cut();
    },
    close: () => etcd.close(),
  };
});

describe("CoordinationStore on etcd, what only a real store shows", function () {
  let etcd: TestEtcd;
  let store: CoordinationStore;
  let stop: AbortController;
  let state: Map<string, string>;
  let snapshots: number;
  let watching: Promise<void>;
  const ctx = (): ReturnType<typeof testCtx> => testCtx({ deadlineMs: Date.now() + 30_000 });

  async function follow(events: AsyncIterable<WatchEvent>): Promise<void> {
    for await (const event of events) {
      if (event.kind === "snapshot") {
        snapshots++;
        state = new Map(event.entries.map(({ key, value }) => [key, value]));
      } else if (event.kind === "put") state.set(event.entry.key, event.entry.value);
      else state.delete(event.key);
    }
  }

  before(async () => {
    etcd = await startTestEtcd();
  });
  after(() => etcd.close());
  beforeEach(async () => {
    store = await connectEtcd({ endpoints: [etcd.endpoint] });
    stop = new AbortController();
    [state, snapshots] = [new Map(), 0];
    watching = follow(store.watch(testCtx({ signal: stop.signal, deadlineMs: undefined }), "/test/"));
    await until(() => snapshots === 1);
  });
  afterEach(async () => {
    stop.abort();
    await watching;
    await store.close();
  });

  it("gives up the keys of a process killed with SIGKILL", async () => {
    const holder = await startEntry(new URL("./entries/lease-holder.ts", import.meta.url), {
      args: [etcd.endpoint, "/test/holder", "2000"],
      ready: /^held/,
    });
    await until(() => state.has("/test/holder"));
    await holder.kill();
    await until(() => !state.has("/test/holder"), {
      timeoutMs: 60_000,
      what: "the dead holder's key to vanish",
    });
  });

  it("keeps a lease and a watch over a restart of the store", async () => {
    const lease = await store.grant(ctx(), 20_000);
    await lease.put(ctx(), "/test/k", "before");
    await etcd.kill();
    await etcd.start();
    await until(
      async () => {
        await lease.put(ctx(), "/test/k", "after");
        return true;
      },
      { timeoutMs: 60_000 },
    );
    await until(() => state.get("/test/k") === "after", { timeoutMs: 60_000 });
    assert.equal(lease.held, true);
    assert.equal(snapshots, 1, "resumed from its revision, not listed anew");
    await lease.revoke(ctx());
  });

  it("fences the holder in time while the store stands still", async () => {
    const lease = await store.grant(ctx(), 2_000);
    await lease.put(ctx(), "/test/k", "1");
    const stalledMs = performance.now();
    etcd.stall();
    try {
      // However late timers fire, the question is answered by the clock: never longer than the store could
      // have kept the lease.
      await until(() => !lease.held || performance.now() - stalledMs >= 2_000, {
        everyMs: 5,
        timeoutMs: 60_000,
      });
      assert.equal(lease.held, false);
      await until(() => lease.signal.aborted, { timeoutMs: 60_000, what: "self-fencing" });
    } finally {
      etcd.resume();
    }
    await until(async () => (await store.get(ctx(), "/test/k")) === undefined, { timeoutMs: 60_000 });
  });

  it("lists again after its revision was compacted while it was away", async () => {
    const { Etcd3 } = await import("etcd3");
    const admin = new Etcd3({ hosts: etcd.endpoint });
    const proxies = new Set<Proxy>();
    const away = await connectThroughProxy(etcd, proxies);
    const seen = new Map<string, string>();
    let lists = 0;
    const end = new AbortController();
    const following = (async () => {
      for await (const event of away.store.watch(
        testCtx({ signal: end.signal, deadlineMs: undefined }),
        "/test/",
      )) {
        if (event.kind === "snapshot") {
          lists++;
          seen.clear();
          for (const { key, value } of event.entries) seen.set(key, value);
        } else if (event.kind === "put") seen.set(event.entry.key, event.entry.value);
        else seen.delete(event.key);
      }
    })();
    const lease = await store.grant(ctx(), 20_000);
    await lease.put(ctx(), "/test/gone", "1");
    await until(() => seen.has("/test/gone"));
    away.stall();
    await lease.delete(ctx(), "/test/gone");
    for (let i = 0; i < 20; i++) await lease.put(ctx(), "/test/k", String(i));
    const { header } = await admin.kv.range({ key: Buffer.from("/test/k") });
    await admin.kv.compact({ revision: header.revision, physical: true });
    // What waited in the stalled connection is lost with it.
    for (const proxy of proxies) proxy.cut();
    away.heal();
    await until(() => seen.get("/test/k") === "19" && !seen.has("/test/gone"), { timeoutMs: 60_000 });
    assert.equal(lists, 2);
    end.abort();
    await following;
    await away.store.close();
    await lease.revoke(ctx());
    admin.close();
  });

  it("lists again when the store was wiped, and loses its leases then", async () => {
    const lease = await store.grant(ctx(), 20_000);
    for (let i = 0; i < 30; i++) await lease.put(ctx(), "/test/k", String(i));
    await until(() => state.get("/test/k") === "29");
    await etcd.kill();
    await etcd.wipe();
    await etcd.start();
    await until(() => lease.signal.aborted, { timeoutMs: 60_000, what: "the loss of the lease" });
    await until(() => !state.has("/test/k"), { timeoutMs: 60_000, what: "the watcher to forget" });
    const next = await store.grant(ctx(), 20_000);
    await next.put(ctx(), "/test/new", "1");
    await until(() => state.get("/test/new") === "1", { timeoutMs: 60_000 });
    await next.revoke(ctx());
  });

  it("answers STORE_UNAVAILABLE, not at the caller's deadline, while the store is away, and works again after", async () => {
    await etcd.kill();
    await assert.rejects(store.get(ctx(), "/test/k"), { reason: "STORE_UNAVAILABLE" });
    await etcd.start();
    await until(
      async () => {
        await store.get(ctx(), "/test/k");
        return true;
      },
      { timeoutMs: 60_000 },
    );
  });
});
