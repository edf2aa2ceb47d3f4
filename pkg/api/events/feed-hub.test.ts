import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { FeedServiceDefinition } from "../../../gen/kilonova/cells/v1/feed_service.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { systemClock } from "../../platform/process/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import { CellGuard } from "../cells/guard.js";
import type { TestApi } from "../testing/an-api.js";
import { anApi } from "../testing/an-api.js";
import type { FeedFollower, Happening, HubLimits } from "./feed-hub.js";
import { FeedHub } from "./feed-hub.js";
import type { Position } from "./resume-token.js";
import type { FeedQuery } from "./shared-tail.js";

const uuid = (n: number): string => `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`;
const limits: HubLimits = {
  watchBufferBytes: 256 * 1024,
  watchBuffersTotalBytes: 32 * 1024 * 1024,
  watchHistoryReads: 2,
};
const START: Position = { incarnation: "", revision: 0n };

/** A hub over the fake cells, without an api around it. */
function aHub(init: Partial<HubLimits> = {}): { readonly hub: FeedHub; readonly api: TestApi } {
  const api = anApi();
  const feed = api.network.connect("cells", { service: "api", host: "" }).client(FeedServiceDefinition);
  const guard = new CellGuard({ cellTimeoutMs: 10_000, downCellTimeoutMs: 100 });
  return { api, hub: new FeedHub(feed, guard, systemClock, { ...limits, ...init }) };
}

/** Reads one follower and keeps what it is told. */
class Reader {
  readonly happenings: Happening[] = [];
  readonly follower: FeedFollower;
  readonly stop = new AbortController();
  /** While set, nothing is read: a client that does not keep up. */
  pause: Promise<void> | undefined;
  readonly #done: Promise<void>;

  constructor(hub: FeedHub, query: Partial<FeedQuery> = {}, from = START) {
    this.follower = hub.follow("cell1", from, { projectId: "", entityKinds: ["instance"], ...query });
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    const ctx = testCtx({ signal: this.stop.signal, deadlineMs: undefined });
    for await (const happening of this.follower.happenings(ctx)) {
      this.happenings.push(happening);
      await this.pause;
    }
  }

  get generations(): bigint[] {
    return this.happenings.flatMap((one) =>
      one.type === "batch" ? one.entries.map(({ generation }) => generation) : [],
    );
  }

  get projects(): Set<string> {
    return new Set(
      this.happenings.flatMap((one) => (one.type === "batch" ? one.entries.map((e) => e.projectId) : [])),
    );
  }

  /** Waits until it was told that it stands at the tail. */
  standing(): Promise<unknown> {
    return until(() => this.happenings.some(({ type }) => type === "batch"), { what: "the first batch" });
  }

  told(count: number): Promise<unknown> {
    return until(() => this.generations.length >= count, {
      what: `${count} entries`,
      timeoutMs: 20_000,
    });
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.#done;
  }
}

const put = (api: TestApi, generation: number, projectId = "p1", description = ""): void =>
  api.cells.feed("cell1").instance(
    Server.fromPartial({
      id: uuid(projectId === "p1" ? 1 : 2),
      projectId,
      generation: BigInt(generation),
      description,
    }),
    "changed",
  );
const upTo = (count: number): bigint[] => Array.from({ length: count }, (_, i) => BigInt(i + 1));

describe("FeedHub", () => {
  it("reads each database once, however many watches there are, and not at all without one", async () => {
    const { hub, api } = aHub();
    const readers = Array.from({ length: 40 }, (_, i) => new Reader(hub, { projectId: `p${i % 4}` }));
    await Promise.all(readers.map((reader) => reader.standing()));
    assert.equal(api.cells.feed("cell1").watchers, 1);
    assert.equal(api.cells.calls.filter((call) => call.startsWith("readFeed")).length, 0);
    put(api, 1);
    await Promise.all(readers.filter((_, i) => i % 4 === 1).map((reader) => reader.told(1)));
    assert.ok(readers.every((reader, i) => reader.generations.length === (i % 4 === 1 ? 1 : 0)));
    await Promise.all(readers.map((reader) => reader.close()));
    await until(() => api.cells.feed("cell1").watchers === 0, { what: "the feed to be left" });
  });

  it("tells a project nothing of another's, even when the database hands it over", async () => {
    const { hub, api } = aHub();
    api.cells.feed("cell1").careless = true;
    for (const projectId of ["p1", "p2", "p1"]) put(api, 1, projectId);
    const reader = new Reader(hub, { projectId: "p1" });
    await reader.told(2);
    put(api, 2, "p2");
    put(api, 3, "p1");
    await reader.told(3);
    assert.deepEqual(reader.projects, new Set(["p1"]));
    await reader.close();
  });

  it("wakes a watch only for its own project, and moves its position on when it asks", async () => {
    const { hub, api } = aHub();
    const reader = new Reader(hub, { projectId: "p1" });
    await reader.standing();
    const other = new Reader(hub, { projectId: "p2" });
    await other.standing();
    const before = reader.happenings.length;
    for (let i = 1; i <= 20; i++) put(api, i, "p2");
    await other.told(20);
    assert.equal(reader.happenings.length, before);
    reader.follower.nudge();
    const last = await until(() => reader.happenings[before], { what: "an empty batch" });
    assert.equal(last.type === "batch" && last.position.revision, 20n);
    await Promise.all([reader.close(), other.close()]);
  });

  it("reads history in bounded pieces, then goes over to the tail without gap or repetition", async () => {
    const { hub, api } = aHub();
    api.cells.feed("cell1").readsAtMost = 2;
    for (let i = 1; i <= 9; i++) put(api, i);
    const reader = new Reader(hub, { projectId: "p1" }, { incarnation: "life-of-cell1", revision: 2n });
    await reader.told(7);
    put(api, 10);
    await reader.told(8);
    assert.deepEqual(reader.generations, upTo(10).slice(2));
    assert.equal(api.cells.calls.filter((call) => call === "readFeed cell1").length, 4);
    await reader.close();
  });

  for (const [whose, init] of [
    ["one watch", { watchBufferBytes: 4_096 }],
    ["all watches", { watchBuffersTotalBytes: 4_096 }],
  ] as const) {
    it(`lets no more wait than the buffer of ${whose} holds; who is slow reads the database`, async () => {
      const { hub, api } = aHub(init);
      const slow = new Reader(hub, { projectId: "p1" });
      const quick = new Reader(hub, { projectId: "p1" });
      await Promise.all([slow.standing(), quick.standing()]);
      let goOn = (): void => {};
      slow.pause = new Promise((resolve) => {
        goOn = resolve;
      });
      let most = 0;
      for (let i = 1; i <= 60; i++) {
        put(api, i, "p1", "x".repeat(500));
        await quick.told(i);
        most = Math.max(most, hub.bufferedBytes);
      }
      assert.ok(most <= 4_096, `${most} bytes waited`);
      slow.pause = undefined;
      goOn();
      await slow.told(60);
      assert.deepEqual(slow.generations, upTo(60));
      assert.equal(hub.bufferedBytes, 0);
      await Promise.all([slow.close(), quick.close()]);
    });
  }

  it("keeps nothing of what it has told, and no listener on the watch's signal", async () => {
    const { hub, api } = aHub();
    const reader = new Reader(hub, { projectId: "p1" });
    await reader.standing();
    const listeners = (): number => getEventListeners(reader.stop.signal, "abort").length;
    put(api, 1);
    await reader.told(1);
    const before = listeners();
    for (let i = 2; i <= 3_000; i++) {
      put(api, i);
      if (i % 50 === 0) await reader.told(i);
    }
    await reader.told(3_000);
    assert.equal(listeners(), before);
    assert.equal(hub.bufferedBytes, 0);
    await reader.close();
  });

  it("goes over a broken connection, saying once that the database is silent", async () => {
    const { hub, api } = aHub();
    const feed = api.cells.feed("cell1");
    const reader = new Reader(hub, { projectId: "p1" });
    await reader.standing();
    feed.break();
    put(api, 1);
    await until(() => reader.happenings.some(({ type }) => type === "silent"), { what: "the silence" });
    put(api, 2);
    feed.broken = false;
    await reader.told(2);
    assert.deepEqual(reader.generations, upTo(2));
    assert.equal(reader.happenings.filter(({ type }) => type === "silent").length, 1);
    await reader.close();
  });

  it("says that a place is lost when it is gone, ahead of the feed, or of another life", async () => {
    for (const from of [
      { incarnation: "life-of-cell1", revision: 0n },
      { incarnation: "life-of-cell1", revision: 99n },
      { incarnation: "another", revision: 5n },
    ]) {
      const { hub, api } = aHub();
      for (let i = 1; i <= 5; i++) put(api, i);
      api.cells.feed("cell1").compact(3);
      const reader = new Reader(hub, { projectId: "p1" }, from);
      await until(() => reader.happenings.at(-1)?.type === "lost", { what: `${from.revision} to be lost` });
      await reader.close();
    }
  });
});
