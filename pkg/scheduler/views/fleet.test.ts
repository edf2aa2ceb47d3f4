import assert from "node:assert/strict";
import { aProvider } from "../../placement/testing/builders.js";
import { fakeClock } from "../../testkit/clock.js";
import type { FakeClock } from "../../testkit/clock.js";
import type { InstanceState, PlacementBatch } from "../ports.js";
import { Fleet } from "./fleet.js";

const batch = (revision: number, more: Partial<PlacementBatch> = {}): PlacementBatch => ({
  revision,
  reset: false,
  providers: [],
  usedProviders: [],
  deletedProviderIds: [],
  ...more,
});
const holding = (providerId: string, amount: number) => ({
  providerId,
  resources: new Map([["VCPU", amount]]),
});
const used = (fleet: Fleet, id: string): number | undefined => fleet.index.get(id)?.inventories[0]?.used;
const anInstance = (id: string, host: string, more: Partial<InstanceState> = {}): InstanceState => ({
  id,
  host,
  projectId: "p",
  busy: false,
  state: "active",
  ...more,
});
const aFleet = (clock: FakeClock = fakeClock()): Fleet => {
  const fleet = new Fleet({ isUp: () => true, settled: () => true }, clock, 60_000);
  fleet.applyPlacement(batch(10, { reset: true, providers: [aProvider("h", { VCPU: 8 })] }));
  return fleet;
};

describe("Fleet: own claims", () => {
  it("count at once and until the feed has them, not twice", () => {
    const fleet = aFleet();
    const own = fleet.claim([holding("h", 3)]);
    assert.equal(used(fleet, "h"), 3);
    own.confirm(12);
    fleet.applyPlacement(batch(11, { usedProviders: [aProvider("h", { VCPU: [8, 1] })] }));
    assert.equal(used(fleet, "h"), 4, "revision 11 is before the claim");
    fleet.applyPlacement(batch(12, { usedProviders: [aProvider("h", { VCPU: [8, 4] })] }));
    assert.equal(used(fleet, "h"), 4);
  });
  it("are known from the feed before the answer arrives", () => {
    const fleet = aFleet();
    const own = fleet.claim([holding("h", 3)]);
    fleet.applyPlacement(batch(12, { usedProviders: [aProvider("h", { VCPU: [8, 3] })] }));
    own.confirm(12);
    assert.equal(used(fleet, "h"), 3);
  });
  it("vanish when they were refused", () => {
    const fleet = aFleet();
    const [one, other] = [fleet.claim([holding("h", 3)]), fleet.claim([holding("h", 2)])];
    one.cancel();
    assert.equal(used(fleet, "h"), 2);
    other.cancel();
    assert.equal(used(fleet, "h"), 0);
  });
  it("survive a new snapshot that is older than they are", () => {
    const fleet = aFleet();
    fleet.claim([holding("h", 3)]).confirm(20);
    fleet.applyPlacement(batch(15, { reset: true, providers: [aProvider("h", { VCPU: [8, 1] })] }));
    assert.equal(used(fleet, "h"), 4);
  });
  it("does not go back to an older batch", () => {
    const fleet = aFleet();
    fleet.applyPlacement(batch(12, { usedProviders: [aProvider("h", { VCPU: [8, 4] })] }));
    fleet.applyPlacement(batch(11, { usedProviders: [aProvider("h", { VCPU: [8, 1] })] }));
    assert.equal(used(fleet, "h"), 4);
  });
});

describe("Fleet: hosts", () => {
  const service = {
    host: "a",
    availabilityZone: "nova",
    address: "",
    disabled: false,
    disabledReason: "",
    forcedDown: false,
  };
  const node = {
    host: "a",
    node: "a",
    computeNodeId: "h",
    hostIp: "",
    hypervisorType: "QEMU",
    hypervisorVersion: 1,
    supported: [],
    capabilities: {},
  };
  it("are those with a service and a hypervisor, each in its cell", () => {
    const fleet = aFleet();
    fleet.applyChange("cell1", { kind: "node", id: "h", node });
    assert.equal(fleet.hosts().size, 0);
    fleet.applyChange("cell1", { kind: "service", id: "s", service });
    assert.deepEqual(
      [...fleet.hosts().values()].map(({ host, cell }) => [host, cell]),
      [["a", "cell1"]],
    );
    fleet.applyChange("cell1", { kind: "service", id: "s", service: { ...service, disabled: true } });
    assert.equal(fleet.hosts().get("h")?.disabled, true);
    fleet.applyChange("cell1", { kind: "service", id: "s", service: undefined });
    assert.equal(fleet.hosts().size, 0);
  });
  it("go with their cell", () => {
    const fleet = aFleet();
    fleet.applySnapshot("cell1", {
      services: [{ id: "s", service }],
      nodes: [{ id: "h", node }],
      instances: [anInstance("i", "a")],
    });
    fleet.dropCell("cell1");
    assert.deepEqual([fleet.hosts().size, fleet.instances.on("a").instances.size], [0, 0]);
  });
});

describe("Fleet: instances", () => {
  it("move with their records", () => {
    const { instances } = aFleet();
    instances.apply("cell1", "i", anInstance("i", "a", { busy: true }));
    assert.equal(instances.on("a").ioOps, 1);
    instances.apply("cell1", "i", anInstance("i", "b"));
    assert.deepEqual([instances.on("a").instances.size, instances.on("b").instances.size], [0, 1]);
    instances.apply("cell1", "i", undefined);
    assert.equal(instances.on("b").instances.size, 0);
  });
  it("make their host busy for as long as they are", () => {
    const { instances } = aFleet();
    const ioOps = (): number[] => ["a", "b"].map((host) => instances.on(host).ioOps);
    instances.apply("cell1", "i", anInstance("i", "a", { busy: true }));
    instances.apply("cell1", "j", anInstance("j", "a", { busy: true }));
    instances.apply("cell1", "k", anInstance("k", "a"));
    instances.apply("cell1", "j", anInstance("j", "a", { busy: true }));
    assert.deepEqual(ioOps(), [2, 0]);
    instances.apply("cell1", "i", anInstance("i", "b", { busy: true }));
    instances.apply("cell1", "j", anInstance("j", "a"));
    assert.deepEqual(ioOps(), [0, 1]);
    instances.apply("cell1", "k", anInstance("k", "a", { busy: true }));
    instances.apply("cell1", "i", undefined);
    assert.deepEqual(ioOps(), [1, 0]);
    instances.replaceCell("cell1", []);
    assert.deepEqual(ioOps(), [0, 0]);
  });
  it("are counted where they were placed until a cell tells, or too long", async () => {
    const clock = fakeClock();
    const { instances } = aFleet(clock);
    instances.place({ id: "i", host: "a", projectId: "p", busy: true });
    instances.place({ id: "j", host: "a", projectId: "p", busy: true });
    instances.apply("cell1", "i", anInstance("i", "", { state: "building" }));
    assert.equal(instances.on("a").instances.size, 2, "a record without host says nothing about it");
    instances.apply("cell1", "j", anInstance("j", "a"));
    await clock.advance(60_001);
    instances.expire();
    assert.deepEqual([...instances.on("a").instances.keys()], ["j"]);
  });
  it("whose builds fail count against their host until one succeeds", () => {
    const { instances } = aFleet();
    const build = (id: string, host: string): void =>
      instances.apply("cell1", id, anInstance(id, host, { state: "building" }));
    build("i", "a");
    instances.apply("cell1", "i", anInstance("i", "b", { state: "building" }));
    assert.equal(instances.failedBuilds("a"), 1);
    instances.apply("cell1", "i", anInstance("i", "b", { state: "error" }));
    assert.equal(instances.failedBuilds("b"), 1);
    build("j", "a");
    instances.apply("cell1", "j", anInstance("j", "a"));
    assert.equal(instances.failedBuilds("a"), 0);
  });
});
