import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import { aProvider, anInventory, chance } from "../testing/builders.js";
import { openLedger } from "./ledger.js";
import type { Ledger } from "./ledger.js";
import type { Consumer, ConsumerChange, Inventory } from "./model.js";

const holding = (providerId: string, amounts: Readonly<Record<string, number>>) => ({
  providerId,
  resources: new Map(Object.entries(amounts)),
});
const aConsumer = (
  consumerId: string,
  holdings: readonly ReturnType<typeof holding>[],
  more: Partial<Consumer> = {},
): Consumer => ({
  consumerId,
  projectId: "p",
  userId: "u",
  consumerType: "INSTANCE",
  generation: 1,
  claimOperation: "boot",
  claimFence: 1,
  holdings,
  ...more,
});
const aChange = (
  consumerId: string,
  amounts: Readonly<Record<string, Readonly<Record<string, number>>>>,
  expected: ConsumerChange["expected"] = "new",
): ConsumerChange => ({
  consumerId,
  projectId: "p",
  userId: "u",
  consumerType: "INSTANCE",
  expected,
  holdings: Object.entries(amounts).map(([provider, mine]) => holding(provider, mine)),
});
const ledgerOf = (inventories: readonly Inventory[], consumers: readonly Consumer[] = []): Ledger =>
  openLedger({
    providers: [
      { id: "h", generation: 7, inventories },
      { id: "h2", generation: 0, inventories: aProvider("h2", { VCPU: 4 }).inventories },
    ],
    consumers,
    tombstones: [],
  });
const reasonOf = (work: () => unknown): string => {
  try {
    work();
    return "";
  } catch (error) {
    return error instanceof KilonovaError ? error.reason : assert.fail(String(error));
  }
};

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
    assert.equal(released.release("c", undefined, false), true);
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
    ledger.claim(aChange("a", { h: { VCPU: 3 } }), { operation: "x", fence: 1 });
    assert.equal(
      reasonOf(() => ledger.claim(aChange("b", { h: { VCPU: 2 } }), { operation: "y", fence: 1 })),
      "CAPACITY_EXCEEDED",
    );
    ledger.claim(aChange("d", { h: { VCPU: 1 } }), { operation: "z", fence: 1 });
    assert.deepEqual(ledger.diff().usages, [{ providerId: "h", resourceClass: "VCPU", used: 4 }]);
  });

  it("never oversubscribes and never loses count, over random histories", () => {
    for (let seed = 1; seed <= 60; seed++) checkHistory(seed);
  });
});

/**
 * Runs a random history and checks after each step that usage is the sum of what is held, and within
 * capacity.
 */
function checkHistory(seed: number): void {
  const rng = chance(seed);
  const hosts = ["h0", "h1", "h2"];
  const capacity = new Map(hosts.map((id) => [id, 4 + rng.below(8)]));
  const ledger = openLedger({
    providers: hosts.map((id) => ({
      id,
      generation: 0,
      inventories: [anInventory("VCPU", capacity.get(id) ?? 0)],
    })),
    consumers: [],
    tombstones: [],
  });
  const held = new Map<string, { host: string; amount: number; generation: number }>();
  for (let step = 0; step < 200; step++) {
    const consumerId = `c${rng.below(12)}`,
      host = rng.pick(hosts),
      amount = 1 + rng.below(5);
    const before = held.get(consumerId);
    const key = { operation: `op${rng.below(3)}-${consumerId}`, fence: 1 + rng.below(4) };
    try {
      if (rng.below(3) === 0) {
        if (ledger.release(consumerId, rng.below(2) === 0 ? undefined : key, rng.below(2) === 0))
          held.delete(consumerId);
      } else {
        const generation = ledger.claim(
          aChange(consumerId, { [host]: { VCPU: amount } }, before?.generation ?? "new"),
          key,
        );
        held.set(consumerId, { host, amount, generation });
      }
    } catch (error) {
      assert.ok(error instanceof KilonovaError, `seed ${seed}: ${String(error)}`);
    }
    const used = new Map(ledger.diff().usages.map((one) => [one.providerId, one.used]));
    for (const id of hosts) {
      const sum = [...held.values()]
        .filter((one) => one.host === id)
        .reduce((total, one) => total + one.amount, 0);
      assert.equal(used.get(id) ?? 0, sum, `seed ${seed}, step ${step}: usage of ${id}`);
      assert.ok(sum <= (capacity.get(id) ?? 0), `seed ${seed}, step ${step}: ${id} is oversubscribed`);
    }
  }
}
