import assert from "node:assert/strict";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { MemoryCoordination, MemoryLink } from "./memory.js";
import { LeaseKeeper } from "./keeper.js";
import { coordinationKeys, lastSegment } from "./keys.js";
import { coordinationConformance } from "./testing/conformance.js";

coordinationConformance("memory", async () => {
  const cluster = new MemoryCoordination();
  const links = new Set<MemoryLink>();
  return {
    ttlMs: 200,
    connect: async () => {
      const link = new MemoryLink();
      links.add(link);
      return { store: cluster.connect(link), stall: () => link.stall(), heal: () => link.heal() };
    },
    interrupt: async () => {
      for (const link of links) {
        link.stall();
        link.heal();
      }
    },
    close: async () => {},
  };
});

describe("LeaseKeeper", () => {
  it("counts from before the renewal was sent, not from its answer", async () => {
    const clock = fakeClock();
    const keeper = new LeaseKeeper(clock, 5_000, clock.monotonicMs());
    let answer = (): void => {};
    // The first renewal is sent at 1,000 and answered 2,500 later: it proves life until 1,000 + 4,000.
    let renewals = 0;
    const running = keeper.run(
      () =>
        new Promise((resolve) => {
          if (renewals++ === 0) answer = () => resolve("renewed");
        }),
    );
    await clock.advance(3_500);
    answer();
    await clock.advance(1_499);
    assert.equal(keeper.held, true);
    await clock.advance(2);
    assert.equal(keeper.signal.aborted, true);
    assert.equal(keeper.held, false);
    await running;
  });

  it("knows after a standstill that it is over, before any timer says so", () => {
    let nowMs = 0;
    const clock = { ...fakeClock(), monotonicMs: () => nowMs };
    const keeper = new LeaseKeeper(clock, 5_000, 0);
    nowMs = 4_001;
    assert.equal(keeper.held, false);
    assert.equal(keeper.signal.aborted, true);
  });

  it("ends at once when the store itself says that the lease is gone", async () => {
    const clock = fakeClock();
    const keeper = new LeaseKeeper(clock, 5_000, clock.monotonicMs());
    const running = keeper.run(async () => "gone");
    await clock.advance(1_000);
    assert.equal(keeper.signal.aborted, true);
    await running;
  });

  it("tries again soon after a failed renewal", async () => {
    const clock = fakeClock();
    const keeper = new LeaseKeeper(clock, 5_000, clock.monotonicMs());
    const atMs: number[] = [];
    const running = keeper.run(async () => {
      atMs.push(clock.monotonicMs());
      if (atMs.length < 3) throw new Error("unreachable");
      return "renewed";
    });
    await clock.advance(1_600);
    assert.deepEqual(atMs, [1_000, 1_250, 1_500]);
    keeper.end();
    await running;
  });
});

describe("coordination keys", () => {
  it("keep foreign characters in one segment", () => {
    const key = coordinationKeys.host("rack/1 ü");
    assert.ok(key.startsWith(coordinationKeys.hosts));
    assert.equal(key.slice(coordinationKeys.hosts.length).includes("/"), false);
    assert.equal(lastSegment(key), "rack/1 ü");
  });

  it("list a service's processes and no other's", () => {
    assert.ok(coordinationKeys.service("cells", "1").startsWith(coordinationKeys.services("cells")));
    assert.equal(
      coordinationKeys.service("cells2", "1").startsWith(coordinationKeys.services("cells")),
      false,
    );
  });

  it("reach a client that waits when its link heals", async () => {
    const link = new MemoryLink();
    const store = new MemoryCoordination().connect(link);
    link.stall();
    const waiting = store.list(testCtx(), "/");
    link.heal();
    assert.deepEqual(await waiting, { entries: [], revision: 0 });
  });
});
