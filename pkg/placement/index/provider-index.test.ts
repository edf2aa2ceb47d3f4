import assert from "node:assert/strict";
import { aCandidateRequest, aGroup, aProvider, anIndex, chance, conditions } from "../testing/builders.js";
import { Bitset } from "./bitset.js";
import { findCandidates } from "./candidates.js";
import { ProviderIndex } from "./provider-index.js";

const found = (index: ProviderIndex, ...traits: string[]): string[] =>
  findCandidates(index, aCandidateRequest([aGroup("", { VCPU: 1 }, { required: conditions(...traits) })]))
    .map(({ rootId }) => rootId)
    .sort();

describe("ProviderIndex", () => {
  it("forgets what a provider no longer is", () => {
    const index = anIndex(aProvider("a", { VCPU: 1 }, { traits: ["X"], aggregates: ["g"] }));
    index.put(aProvider("a", { VCPU: 1 }, { traits: ["Y"] }));
    assert.deepEqual([found(index, "X"), found(index, "Y")], [[], ["a"]]);
    assert.ok(index.inAggregate("g").empty);
  });
  it("takes new usage and leaves traits alone", () => {
    const index = anIndex(aProvider("a", { VCPU: 1 }, { traits: ["X"] }));
    index.putUsage(aProvider("a", { VCPU: [1, 1] }));
    assert.deepEqual(found(index, "X"), []);
    index.putUsage(aProvider("a", { VCPU: [1, 0] }));
    assert.deepEqual(found(index, "X"), ["a"]);
  });
  it("takes children before their root, and moves subtrees", () => {
    const index = anIndex(aProvider("c", { VCPU: 1 }, { parent: "r" }), aProvider("r"), aProvider("s"));
    assert.deepEqual(found(index), ["r"]);
    index.put(aProvider("c", { VCPU: 1 }, { parent: "s" }));
    assert.deepEqual(found(index), ["s"]);
  });
  it("removes providers, and takes them back", () => {
    const index = anIndex(aProvider("a", { VCPU: 1 }), aProvider("b", { VCPU: 1 }));
    index.remove("a");
    index.remove("never seen");
    assert.deepEqual([found(index), index.size], [["b"], 1]);
    index.put(aProvider("a", { VCPU: 1 }));
    assert.deepEqual(found(index), ["a", "b"]);
  });
});

describe("Bitset", () => {
  it("agrees with sets, whatever is done to it", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const rng = chance(seed);
      const [a, b] = [new Set<number>(), new Set<number>()];
      for (let i = 0; i < 60; i++) rng.pick([a, b]).add(rng.below(300));
      const sorted = (items: Iterable<number>): number[] => [...items].sort((x, y) => x - y);
      assert.deepEqual(
        Bitset.of(a).and(Bitset.of(b)).toArray(),
        sorted([...a].filter((one) => b.has(one))),
        `and, seed ${seed}`,
      );
      assert.deepEqual(
        Bitset.of(a).or(Bitset.of(b)).toArray(),
        sorted(new Set([...a, ...b])),
        `or, seed ${seed}`,
      );
      assert.deepEqual(
        Bitset.of(a).andNot(Bitset.of(b)).toArray(),
        sorted([...a].filter((one) => !b.has(one))),
        `andNot, seed ${seed}`,
      );
      assert.equal(Bitset.of(a).size, a.size);
    }
  });
});
