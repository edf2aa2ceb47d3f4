import assert from "node:assert/strict";
import { aProvider, anInventory } from "../testing/builders.js";
import { aChange, aClaim, aConsumer, holding, reasonOf } from "../testing/ledger-builders.js";
import { openLedger } from "./ledger.js";
import type { Ledger } from "./ledger.js";
import type { Consumer, ConsumerChange, Inventory } from "./model.js";

const ledgerOf = (inventories: readonly Inventory[], consumers: readonly Consumer[] = []): Ledger =>
  openLedger({
    providers: [
      { id: "h", generation: 7, rootId: "h", inventories },
      { id: "h2", generation: 0, rootId: "h2", inventories: aProvider("h2", { VCPU: 4 }).inventories },
    ],
    consumers,
    tombstones: [],
  });
describe("ledger", () => {
  const vcpus = (total: number, more: Partial<Inventory> = {}): Inventory[] => [
    anInventory("VCPU", total, more),
  ];
  const refusals: readonly [name: string, inventory: Inventory[], change: ConsumerChange, reason: string][] =
    [
      ["accepts what fits", vcpus(4), aChange("c", { h: { VCPU: 4 } }), ""],
      [
        "counts overcommit exactly, not truncated",
        vcpus(3, { allocationRatio: 1.5, used: 3 }),
        aChange("c", { h: { VCPU: 1 } }),
        "",
      ],
      [
        "refuses beyond capacity",
        vcpus(4, { used: 1 }),
        aChange("c", { h: { VCPU: 4 } }),
        "CAPACITY_EXCEEDED",
      ],
      [
        "counts what is reserved",
        vcpus(4, { reserved: 1 }),
        aChange("c", { h: { VCPU: 4 } }),
        "CAPACITY_EXCEEDED",
      ],
      [
        "refuses below the smallest unit",
        vcpus(4, { minUnit: 2 }),
        aChange("c", { h: { VCPU: 1 } }),
        "UNIT_VIOLATED",
      ],
      [
        "refuses above the largest unit",
        vcpus(4, { maxUnit: 2 }),
        aChange("c", { h: { VCPU: 3 } }),
        "UNIT_VIOLATED",
      ],
      ["refuses between steps", vcpus(4, { stepSize: 2 }), aChange("c", { h: { VCPU: 3 } }), "UNIT_VIOLATED"],
      [
        "refuses a class that is not there",
        vcpus(4),
        aChange("c", { h: { DISK_GB: 1 } }),
        "INVENTORY_MISSING",
      ],
      ["refuses an unknown provider", vcpus(4), aChange("c", { nope: { VCPU: 1 } }), "PROVIDER_UNKNOWN"],
      [
        "refuses a generation of what does not exist",
        vcpus(4),
        aChange("c", { h: { VCPU: 1 } }, 1),
        "CONSUMER_GENERATION_CONFLICT",
      ],
    ];
  for (const [name, inventory, change, reason] of refusals)
    it(name, () =>
      assert.equal(
        reasonOf(() => ledgerOf(inventory).replace([change])),
        reason,
      ),
    );

  it("bumps consumers and the providers named, not those left", () => {
    const ledger = ledgerOf(vcpus(4, { used: 2 }), [aConsumer("c", [holding("h", { VCPU: 2 })])]);
    ledger.replace([aChange("c", { h2: { VCPU: 1 } }, 1)]);
    const diff = ledger.diff();
    assert.deepEqual(diff.providers, [
      { id: "h", generation: 7 },
      { id: "h2", generation: 1 },
    ]);
    assert.deepEqual(diff.usages, [
      { providerId: "h", resourceClass: "VCPU", used: 0 },
      { providerId: "h2", resourceClass: "VCPU", used: 1 },
    ]);
    assert.equal(diff.consumers[0]?.generation, 2);
    assert.deepEqual(diff.removedAllocations, [{ consumerId: "c", providerId: "h", resourceClass: "VCPU" }]);
  });
  it("bumps the providers of a consumer that is emptied, and none when it is released", () => {
    const held = [aConsumer("c", [holding("h", { VCPU: 2 })])];
    const emptied = ledgerOf(vcpus(4, { used: 2 }), held);
    emptied.replace([aChange("c", {}, 1)]);
    assert.deepEqual(emptied.diff().providers, [{ id: "h", generation: 8 }]);
    const released = ledgerOf(vcpus(4, { used: 2 }), held);
    assert.equal(released.release("c", undefined, { ownOnly: false, trees: [], expected: "any" }), true);
    assert.deepEqual(released.diff().providers, [{ id: "h", generation: 7 }]);
  });
  it("keeps a consumer's type when a writer knows none, and takes a new one", () => {
    const typeAfter = (consumerType: string, held: string): string | undefined => {
      const consumers =
        held === "" ? [] : [aConsumer("c", [holding("h", { VCPU: 2 })], { consumerType: held })];
      const ledger = ledgerOf(vcpus(4, { used: consumers.length * 2 }), consumers);
      ledger.replace([{ ...aChange("c", { h: { VCPU: 1 } }, "any"), consumerType }]);
      return ledger.diff().consumers[0]?.consumerType;
    };
    assert.deepEqual(
      [typeAfter("", "INSTANCE"), typeAfter("MIGRATION", "INSTANCE"), typeAfter("", "")],
      ["INSTANCE", "MIGRATION", ""],
    );
  });
  it("lets an emptied consumer vanish", () => {
    const ledger = ledgerOf(vcpus(4, { used: 2 }), [aConsumer("c", [holding("h", { VCPU: 2 })])]);
    ledger.replace([aChange("c", {}, 1)]);
    assert.deepEqual(ledger.diff().removedConsumers, ["c"]);
    assert.equal(
      reasonOf(() => ledger.replace([aChange("c", { h: { VCPU: 1 } }, 2)])),
      "CONSUMER_GENERATION_CONFLICT",
    );
    ledger.replace([aChange("c", { h: { VCPU: 1 } })]);
  });
  it("lets an overfull provider go down, sideways, but not up", () => {
    const overfull = (): Ledger =>
      ledgerOf(vcpus(2, { used: 4 }), [
        aConsumer("c", [holding("h", { VCPU: 3 })]),
        aConsumer("d", [holding("h", { VCPU: 1 })]),
      ]);
    assert.equal(
      reasonOf(() => overfull().replace([aChange("c", { h: { VCPU: 2 } }, 1)])),
      "",
    );
    assert.equal(
      reasonOf(() => overfull().replace([aChange("c", {}, 1), aChange("e", { h: { VCPU: 3 } })])),
      "",
    );
    assert.equal(
      reasonOf(() => overfull().replace([aChange("d", { h: { VCPU: 2 } }, 1)])),
      "CAPACITY_EXCEEDED",
    );
  });
  it("takes several consumers together or none", () => {
    const ledger = ledgerOf(vcpus(4));
    assert.equal(
      reasonOf(() => ledger.replace([aChange("c", { h: { VCPU: 2 } }), aChange("d", { h: { VCPU: 3 } })])),
      "CAPACITY_EXCEEDED",
    );
    assert.deepEqual(ledger.diff().consumers, []);
  });
  it("counts refused neighbours for nothing", () => {
    const ledger = ledgerOf(vcpus(4));
    ledger.claim(aClaim("a", { h: { VCPU: 3 } }), { operation: "x", fence: 1 });
    assert.equal(
      reasonOf(() => ledger.claim(aClaim("b", { h: { VCPU: 2 } }), { operation: "y", fence: 1 })),
      "CAPACITY_EXCEEDED",
    );
    ledger.claim(aClaim("d", { h: { VCPU: 1 } }), { operation: "z", fence: 1 });
    assert.deepEqual(ledger.diff().usages, [{ providerId: "h", resourceClass: "VCPU", used: 4 }]);
  });
  it("buries claims that others replace or remove", () => {
    const held = (): Ledger =>
      ledgerOf(vcpus(4, { used: 2 }), [aConsumer("c", [holding("h", { VCPU: 2 })], { claimFence: 9 })]);
    for (const amounts of [{}, { h2: { VCPU: 1 } }]) {
      const ledger = held();
      ledger.replace([aChange("c", amounts, 1)]);
      assert.deepEqual(ledger.diff().tombstones, [{ consumerId: "c", operation: "boot", fence: 9 }]);
    }
  });
});
