import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import { testCtx } from "../../testkit/ctx.js";
import type { Purpose } from "../domain/request-spec.js";
import { aSource } from "../testing/builders.js";
import { lazyPlacement, selectOn, wants } from "../testing/lazy-placement.js";
import type { SelectRequest } from "./selection.js";

/** A server that runs on h0, in a world of hosts with so many CPUs. */
async function running(
  capacities: readonly number[],
  { cells, sharedGib = 0 }: { readonly cells?: readonly string[]; readonly sharedGib?: number } = {},
) {
  const world = lazyPlacement(capacities, sharedGib);
  const alive = { isUp: () => true, settled: () => true };
  const fleet = world.fleet(alive, cells);
  const plain = wants("s", 2);
  const boot = { ...plain, spec: { ...plain.spec, ephemeralGib: sharedGib / 2 } };
  await selectOn(fleet, world.placement)(testCtx(), { ...boot, spec: { ...boot.spec, requestedHost: "h0" } });
  world.feed(fleet);
  const select = (more: Partial<SelectRequest> = {}) =>
    selectOn(fleet, world.placement)(testCtx(), { ...boot, ...more });
  const move = (
    purpose: Purpose,
    { spec, ...more }: { spec?: Partial<SelectRequest["spec"]> } & Partial<Omit<SelectRequest, "spec">> = {},
  ) =>
    select({
      operation: `${purpose}/s`,
      fence: 2,
      migrationId: purpose === "evacuation" ? "" : "m",
      ...more,
      spec: {
        ...boot.spec,
        purpose,
        source: aSource({ host: "h0", computeNodeId: "h0", hypervisor: undefined }),
        ...spec,
      },
    });
  const heldBy = (id: string): string[] =>
    (world.ledger.diff().consumers.find(({ consumerId }) => consumerId === id)?.holdings ?? [])
      .map(({ providerId }) => providerId)
      .sort();
  return { world, fleet, move, heldBy };
}
const reasonOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (error: unknown) => (error instanceof KilonovaError ? error.reason : assert.fail(String(error))),
  );

describe("selecting a move's destination", () => {
  for (const purpose of ["resize", "cold-migration", "live-migration"] as const)
    it(`${purpose}: the migration keeps the source, the server claims another host`, async () => {
      const { move, heldBy } = await running([4, 4, 4]);
      const { chosen, generation, migrationGeneration } = await move(purpose);
      assert.notEqual(chosen.host.host, "h0");
      assert.deepEqual([heldBy("s"), heldBy("m")], [[chosen.host.host], ["h0"]]);
      assert.deepEqual([generation, migrationGeneration], [2, 1]);
      assert.deepEqual(Object.fromEntries(chosen.mappings), { "": [chosen.host.host] });
    });
  it("answers a repetition with the same claim, though the views would choose otherwise by now", async () => {
    const { world, move, heldBy } = await running([4, 2, 2]);
    const first = await move("resize");
    const claims = world.claims();
    const again = await move("resize");
    assert.equal(again.chosen.host.host, first.chosen.host.host);
    assert.deepEqual([again.generation, again.migrationGeneration], [2, 1]);
    assert.equal(world.claims(), claims + 1, "one claim, which changes nothing");
    assert.deepEqual(heldBy("m"), ["h0"]);
  });
  it("goes elsewhere when that host is excluded by now, with the source as it was", async () => {
    const { move, heldBy } = await running([4, 4, 4]);
    const { chosen } = await move("resize");
    const again = await move("resize", { fence: 3, spec: { excludedHosts: new Set([chosen.host.host]) } });
    assert.ok(![chosen.host.host, "h0"].includes(again.chosen.host.host));
    assert.deepEqual([heldBy("s"), heldBy("m")], [[again.chosen.host.host], ["h0"]]);
  });
  it("leaves everything as it was when no host will do", async () => {
    const { move, heldBy } = await running([4, 1]);
    assert.equal(await reasonOf(move("resize")), "NO_VALID_HOST");
    assert.deepEqual([heldBy("s"), heldBy("m")], [["h0"], []]);
  });
  it("takes the source again for a resize where that is allowed and there is room for both", async () => {
    const source = aSource({ host: "h0", computeNodeId: "h0", allowed: true });
    const roomy = await running([4, 1]);
    assert.equal((await roomy.move("resize", { spec: { source } })).chosen.host.host, "h0");
    assert.deepEqual([roomy.heldBy("s"), roomy.heldBy("m"), roomy.world.usedOn("h0")], [["h0"], ["h0"], 4]);
    const full = await running([3, 1]);
    assert.equal(await reasonOf(full.move("resize", { spec: { source } })), "NO_VALID_HOST");
  });
  it("does not take it for a cold migration without the host's trait", async () => {
    const { move } = await running([4, 1]);
    const source = aSource({ host: "h0", computeNodeId: "h0", allowed: true });
    assert.equal(await reasonOf(move("cold-migration", { spec: { source } })), "NO_VALID_HOST");
  });
  it("evacuates with the source's half kept, and answers repetitions with the other half", async () => {
    const { move, heldBy } = await running([4, 4, 4]);
    const { chosen } = await move("evacuation");
    assert.deepEqual(heldBy("s"), ["h0", chosen.host.host].sort());
    const again = await move("evacuation", { fence: 3 });
    assert.deepEqual(
      again.chosen.holdings.map(({ providerId }) => providerId),
      [chosen.host.host],
    );
    const other = await move("evacuation", {
      fence: 4,
      spec: { excludedHosts: new Set([chosen.host.host]) },
    });
    assert.deepEqual(heldBy("s"), ["h0", other.chosen.host.host].sort());
  });
  it("evacuates with the storage that both hosts share held once", async () => {
    const { world, move, heldBy } = await running([4, 4], { sharedGib: 10 });
    assert.deepEqual(heldBy("s"), ["disks", "h0"]);
    await move("evacuation");
    assert.deepEqual([heldBy("s"), world.usedOn("disks")], [["disks", "h0", "h1"], 5]);
  });
  it("counts a server that moves where its record says", async () => {
    const { fleet, move } = await running([4, 4]);
    const { chosen } = await move("resize");
    assert.ok(fleet.instances.on("h0").instances.has("s"));
    assert.equal(fleet.instances.on(chosen.host.host).instances.size, 0);
  });
  it("keeps live migrations in their cell, and prefers it for those that may leave", async () => {
    const cells = ["cell1", "cell2", "cell2", "cell1"];
    const { move } = await running([4, 8, 8, 4], { cells });
    assert.equal((await move("live-migration")).chosen.host.host, "h3");
    const free = await running([4, 8, 8, 4], { cells });
    assert.equal((await free.move("resize")).chosen.host.cell, "cell1");
    const away = await running([4, 8, 8, 4], { cells });
    assert.equal(
      (await away.move("resize", { spec: { exceptCells: new Set(["cell1"]) } })).chosen.host.cell,
      "cell2",
    );
  });
  it("refuses a server that holds nothing, and a live migration from nowhere", async () => {
    const { move } = await running([4, 4]);
    const nobody = { serverId: "nobody" };
    assert.equal(await reasonOf(move("resize", { spec: nobody })), "NOTHING_TO_MOVE");
    const source = aSource({ host: "gone", computeNodeId: "gone" });
    assert.equal(await reasonOf(move("live-migration", { spec: { source } })), "SOURCE_UNKNOWN");
  });
  it("does not take over the claim of a newer owner", async () => {
    const { move } = await running([4, 4, 4]);
    await move("resize", { fence: 5 });
    assert.equal(await reasonOf(move("resize", { fence: 4 })), "CLAIM_FENCED");
  });
});

describe("selecting a boot's host again", () => {
  it("answers the claim that fills its host, though nobody would fit there by now", async () => {
    const world = lazyPlacement([2]);
    const fleet = world.fleet();
    const select = selectOn(fleet, world.placement);
    await select(testCtx(), wants("s", 2));
    world.feed(fleet);
    const again = await select(testCtx(), { ...wants("s", 2), fence: 2 });
    assert.deepEqual([again.chosen.host.host, again.generation], ["h0", 1]);
    assert.equal(await reasonOf(select(testCtx(), wants("t", 2))), "NO_VALID_HOST");
  });
});
