import assert from "node:assert/strict";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import type { AggregateFacts, Cells, CellNews, CellSnapshot, Placement, PlacementBatch } from "../ports.js";
import { Fleet } from "../views/fleet.js";
import { createFollower } from "./follow.js";
import type { Follower } from "./follow.js";

const nothing: PlacementBatch = {
  revision: 1,
  reset: false,
  providers: [],
  usedProviders: [],
  deletedProviderIds: [],
};
const hostsNamed = (...names: string[]): CellSnapshot => ({
  services: names.map((host) => ({
    id: host,
    service: {
      host,
      availabilityZone: "nova",
      address: "",
      disabled: false,
      disabledReason: "",
      forcedDown: false,
    },
  })),
  nodes: names.map((id) => ({
    id,
    node: {
      host: id,
      node: id,
      computeNodeId: id,
      hostIp: "",
      hypervisorType: "",
      hypervisorVersion: 0,
      supported: [],
      capabilities: {},
    },
  })),
  instances: [],
});

/** A follower of cells that the test adds one by one; time stands still unless the test moves it. */
function follow(cells: Map<string, CellSnapshot>, aggregates: readonly AggregateFacts[] = []) {
  const stop = new AbortController();
  const heads = { expected: 3, snapshot: 3 };
  const tell: ((news: CellNews) => void)[] = [];
  const clock = fakeClock();
  const fleet = new Fleet({ isUp: () => true, settled: () => true }, clock, 60_000);
  const forEver = (signal: AbortSignal): Promise<never> =>
    new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }),
    );
  const placement: Placement = {
    claim: () => assert.fail(),
    held: () => assert.fail(),
    changes: async function* (ctx) {
      yield nothing;
      await forEver(ctx.signal);
    },
  };
  const peer: Cells = {
    list: async () => [...cells.keys()],
    watchAggregates: async function* (ctx) {
      yield aggregates;
      await forEver(ctx.signal);
    },
    head: async () => ({ incarnation: "one", revision: heads.expected }),
    watch: async function* (ctx, cell) {
      const place = { incarnation: "one", revision: heads.snapshot };
      yield { snapshot: cells.get(cell) ?? assert.fail(cell), place };
      for (;;)
        yield await Promise.race([
          new Promise<CellNews>((resolve) => {
            tell.push(resolve);
          }),
          forEver(ctx.signal),
        ]);
    },
  };
  const follower: Follower = createFollower({ fleet, placement, cells: peer, clock });
  const running = follower.run(testCtx({ signal: stop.signal, deadlineMs: undefined }));
  const ready = (): Promise<unknown> =>
    until(() => {
      follower.assertReady();
      return true;
    });
  return {
    fleet,
    follower,
    clock,
    heads,
    /** The feed of the one cell tells. */
    tell: (news: CellNews) => tell.shift()?.(news),
    ready,
    close: async () => {
      stop.abort(new Error("over"));
      await running;
    },
  };
}

describe("following cells", () => {
  const hostsOf = ({ fleet }: { readonly fleet: Fleet }): string[] =>
    [...fleet.hosts().values()].map(({ cell, host }) => `${cell}/${host}`).sort();

  it("a refresh finds cells that came up after the list was read, and keeps following them", async () => {
    const cells = new Map<string, CellSnapshot>();
    const views = follow(cells);
    await views.ready();
    cells.set("cell1", hostsNamed("a", "b"));
    assert.deepEqual(hostsOf(views), []);
    const request = new AbortController();
    await views.follower.refresh(testCtx({ signal: request.signal }));
    assert.deepEqual(hostsOf(views), ["cell1/a", "cell1/b"]);
    request.abort(new Error("the request is over"));
    await until(() => {
      views.follower.assertReady();
      return true;
    });
    await views.close();
  });

  it("a refresh waits until the feed has told all that was committed, and reads no list", async () => {
    const views = follow(new Map([["cell1", hostsNamed("a")]]));
    await views.ready();
    await until(() => hostsOf(views).length === 1);
    await views.follower.refresh(testCtx());
    views.heads.expected = 5;
    await views.clock.advance(100);
    let fresh = false;
    const refreshed = views.follower.refresh(testCtx()).then(() => {
      fresh = true;
    });
    const change = (id: string, revision: number): CellNews => {
      const { services, nodes } = hostsNamed(id);
      return {
        changes: [
          ...services.map((one) => ({ kind: "service" as const, ...one })),
          ...nodes.map((one) => ({ kind: "node" as const, ...one })),
        ],
        place: { incarnation: "one", revision },
      };
    };
    views.tell(change("b", 4));
    await until(() => hostsOf(views).length === 2);
    assert.ok(!fresh);
    await views.clock.advance(1);
    views.tell(change("c", 5));
    await refreshed;
    assert.deepEqual(hostsOf(views), ["cell1/a", "cell1/b", "cell1/c"]);
    await views.close();
  });

  it("a refresh does not wait for ever for a feed that stands still", async () => {
    const views = follow(new Map([["cell1", hostsNamed("a")]]));
    await views.ready();
    views.heads.expected = 9;
    let over = false;
    void views.follower.refresh(testCtx()).then(() => {
      over = true;
    });
    await until(async () => {
      await views.clock.advance(500);
      return over;
    });
    await views.close();
  });

  it("sees hosts in the zones and with the metadata that aggregates give them", async () => {
    const metadata = new Map([
      ["availability_zone", "west"],
      ["ssd", "true"],
    ]);
    const views = follow(new Map([["cell1", hostsNamed("a", "b")]]), [
      { id: "x", hosts: ["a"], metadata },
      { id: "y", hosts: ["a", "gone"], metadata: new Map([["tier", "1"]]) },
    ]);
    await views.ready();
    await views.follower.refresh(testCtx());
    const shown = new Map(
      [...views.fleet.hosts().values()].map((host) => [host.host, views.fleet.view(host)]),
    );
    assert.deepEqual([shown.get("a")?.availabilityZone, shown.get("b")?.availabilityZone], ["west", "nova"]);
    assert.deepEqual(
      [shown.get("a")?.aggregates.map(({ id }) => id), shown.get("b")?.aggregates],
      [["x", "y"], []],
    );
    await views.close();
  });

  it("looks for the first cell twice a second, not only every ten", async () => {
    const cells = new Map<string, CellSnapshot>();
    const views = follow(cells);
    await views.ready();
    cells.set("cell1", hostsNamed("a"));
    await views.clock.advance(500);
    await until(() => hostsOf(views).length === 1);
    await views.close();
  });
});
