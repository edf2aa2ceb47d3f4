import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import { openLedger } from "../../placement/domain/ledger.js";
import type { Ledger } from "../../placement/domain/ledger.js";
import { aProvider, chance } from "../../placement/testing/builders.js";
import { createPacer } from "../../platform/process/index.js";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { rulesOf, schedulerConfig } from "../config.js";
import type { Liveness, Placement } from "../ports.js";
import { aRequest } from "../testing/builders.js";
import { Fleet } from "../views/fleet.js";
import { selectDestinations } from "./select-destinations.js";

/** A placement that decides like the real one, and whose feed is handed out only when the test says so. */
function lazyPlacement(capacities: readonly number[]) {
  const ids = capacities.map((_, number) => `h${number}`);
  const ledger: Ledger = openLedger({
    consumers: [],
    tombstones: [],
    providers: ids.map((id, number) => ({
      id,
      generation: 0,
      rootId: id,
      inventories: aProvider(id, { VCPU: capacities[number] ?? 0 }).inventories,
    })),
  });
  let revision = 1,
    claims = 0;
  const usedOn = (id: string): number =>
    ledger.diff().usages.find(({ providerId }) => providerId === id)?.used ?? 0;
  const placement: Placement = {
    claim: async (_ctx, { serverId, projectId, userId, operation, fence, holdings, expected }) => {
      claims++;
      const owner = { consumerId: serverId, projectId, userId, consumerType: "" };
      const generations = ledger.claim(
        { claims: [{ ...owner, expected, holdings, keepTrees: [] }], takeOvers: [] },
        { operation, fence },
      );
      return { generation: generations.get(serverId) ?? 0, revision: ++revision };
    },
    held: async (_ctx, serverId) => {
      const held = ledger.diff().consumers.find(({ consumerId }) => consumerId === serverId);
      return (
        held && {
          generation: held.generation,
          operation: held.claimOperation,
          fence: held.claimFence,
          holdings: held.holdings,
        }
      );
    },
    changes: async function* () {
      yield* [];
    },
  };
  return {
    placement,
    usedOn,
    ledger,
    claims: () => claims,
    feed: (fleet: Fleet): void =>
      fleet.applyPlacement({
        revision,
        reset: false,
        deletedProviderIds: [],
        providers: [],
        usedProviders: ids.map((id, number) =>
          aProvider(id, { VCPU: [capacities[number] ?? 0, usedOn(id)] }),
        ),
      }),
    /** @param cells  by host; the first where there is none */
    fleet: (
      liveness: Liveness = { isUp: () => true, settled: () => true },
      cells: readonly string[] = ["cell1"],
    ): Fleet => {
      const fleet = new Fleet(liveness, fakeClock(), 60_000);
      fleet.applyPlacement({
        revision,
        reset: true,
        deletedProviderIds: [],
        usedProviders: [],
        providers: ids.map((id, number) => aProvider(id, { VCPU: [capacities[number] ?? 0, usedOn(id)] })),
      });
      const idsOf = (cell: string): string[] => ids.filter((_, at) => (cells[at] ?? cells[0]) === cell);
      for (const cell of new Set(cells))
        fleet.applySnapshot(cell, {
          services: idsOf(cell).map((host) => ({
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
          nodes: idsOf(cell).map((id) => ({
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
        });
      return fleet;
    },
  };
}

const config = schedulerConfig.parse({});
const selectOn = (fleet: Fleet, placement: Placement) =>
  selectDestinations({
    fleet,
    placement,
    rules: rulesOf(config),
    options: config,
    pacer: createPacer(),
    refresh: async () => {},
    assertReady: () => {},
  });
const wants = (serverId: string, vcpus: number) => ({
  spec: aRequest({ serverId, vcpus, memoryMib: 0, image: undefined }),
  operation: `boot/${serverId}`,
  fence: 1,
  alternates: 1,
});

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
