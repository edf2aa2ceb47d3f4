import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import { chance } from "../../placement/testing/builders.js";
import { createPacer } from "../../platform/process/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { rulesOf, schedulerConfig } from "../config.js";
import { lazyPlacement, selectOn, wants } from "../testing/lazy-placement.js";
import { selectDestinations } from "./select-destinations.js";

describe("selectDestinations", () => {
  it("never oversubscribes, and places whatever fits, with two schedulers behind late feeds", async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const rng = chance(seed);
      const capacities = Array.from({ length: 6 }, () => 2 + rng.below(6));
      const world = lazyPlacement(capacities);
      const fleets = [world.fleet(), world.fleet()];
      const total = capacities.reduce((sum, one) => sum + one, 0);
      const outcomes = await Promise.all(
        Array.from({ length: total + 10 }, async (_, number) => {
          const fleet = rng.pick(fleets);
          if (rng.below(4) === 0) world.feed(fleet);
          return selectOn(fleet, world.placement)(testCtx(), wants(`s${number}`, 1)).then(
            () => "ok",
            (error: unknown) => (error instanceof KilonovaError ? error.reason : assert.fail(String(error))),
          );
        }),
      );
      assert.equal(
        outcomes.filter((one) => one === "ok").length,
        total,
        `seed ${seed}: everything that fits is placed`,
      );
      for (const [number, capacity] of capacities.entries())
        assert.equal(world.usedOn(`h${number}`), capacity, `seed ${seed}: h${number}`);
    }
  });

  it("does not run into its own claims", async () => {
    const world = lazyPlacement([4, 4, 4]);
    const fleet = world.fleet();
    await Promise.all(
      Array.from({ length: 12 }, (_, number) =>
        selectOn(fleet, world.placement)(testCtx(), wants(`s${number}`, 1)),
      ),
    );
    assert.equal(world.claims(), 12, "each claim was right at the first try");
  });

  it("lets failures of placement through, and forgets the claim it had counted", async () => {
    const world = lazyPlacement([4]);
    const fleet = world.fleet();
    const away = new KilonovaError({
      kind: "unavailable",
      domain: "rpc",
      reason: "UNAVAILABLE",
      message: "away",
    });
    await assert.rejects(
      selectOn(fleet, { ...world.placement, claim: () => Promise.reject(away) })(testCtx(), wants("s", 4)),
      away,
    );
    assert.equal((await selectOn(fleet, world.placement)(testCtx(), wants("t", 4))).chosen.host.host, "h0");
  });

  it("waits for hosts that have not announced themselves yet, and only for those", async () => {
    const world = lazyPlacement([4, 4]);
    let settled = false;
    const alive = new Set<string>();
    const select = selectOn(
      world.fleet({ isUp: (host) => alive.has(host), settled: () => settled }),
      world.placement,
    );
    const reason = (vcpus: number): Promise<string> =>
      select(testCtx(), wants("s", vcpus)).then(
        () => "ok",
        (error: unknown) => (error instanceof KilonovaError ? error.reason : assert.fail(String(error))),
      );
    assert.equal(await reason(1), "HOSTS_RETURNING");
    assert.equal(await reason(8), "NO_VALID_HOST", "too large for any of them, up or down");
    settled = true;
    assert.equal(await reason(1), "NO_VALID_HOST");
    settled = false;
    alive.add("h1");
    assert.equal(await reason(1), "ok");
  });

  it("names alternates of the chosen host's cell only, best first, not the host itself", async () => {
    const cells = ["cell1", "cell2", "cell1", "cell2", "cell1", "cell2"];
    const world = lazyPlacement([4, 4, 4, 4, 4, 4]);
    const fleet = world.fleet({ isUp: () => true, settled: () => true }, cells);
    for (const server of ["s1", "s2", "s3", "s4"]) {
      const { chosen, alternates } = await selectOn(fleet, world.placement)(testCtx(), {
        ...wants(server, 1),
        alternates: 5,
      });
      assert.ok(alternates.length > 0 && alternates.length <= 2, `${server}: ${alternates.length}`);
      for (const { host } of alternates) {
        assert.equal(host.cell, chosen.host.cell);
        assert.notEqual(host.host, chosen.host.host);
      }
    }
  });

  it("refuses a group policy that nobody enforces", async () => {
    const world = lazyPlacement([4]);
    const bare = schedulerConfig.parse({ enabledFilters: ["ComputeFilter"] });
    const select = selectDestinations({
      fleet: world.fleet(),
      placement: world.placement,
      rules: rulesOf(bare),
      options: bare,
      pacer: createPacer(),
      refresh: async () => {},
      assertReady: () => {},
    });
    const request = wants("s", 1);
    const group = {
      id: "g",
      policy: "affinity" as const,
      maxServerPerHost: 1,
      members: new Set(["s"]),
      hosts: new Set<string>(),
    };
    await assert.rejects(
      select(testCtx(), { ...request, spec: { ...request.spec, group } }),
      (error) => error instanceof KilonovaError && error.reason === "GROUP_POLICY_UNSUPPORTED",
    );
  });
});
