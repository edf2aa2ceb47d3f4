import assert from "node:assert/strict";
import { catalogue } from "../../pkg/model/operation-catalogue.js";
import { blowsOf, planOf } from "./plan.js";

const take = <T>(from: Iterable<T>, count: number): T[] => {
  const taken: T[] = [];
  for (const one of from) if (taken.push(one) === count) break;
  return taken;
};
const plan = (seed: number) => planOf({ seed, slots: 30, kinds: catalogue.all, restMs: 100 });

describe("the plan of a soak", () => {
  it("is the same for the same seed, and another one for another", () => {
    assert.deepEqual(take(plan(7), 500), take(plan(7), 500));
    assert.notDeepEqual(take(plan(7), 500), take(plan(8), 500));
  });

  it("fills every slot first, and has every kind that can be begun, by each of its methods", () => {
    const steps = take(plan(1), 2_000);
    assert.equal(new Set(steps.slice(0, 30).map(({ slot }) => slot)).size, 30);
    const seen = new Set(steps.map(({ method }) => method.name));
    const declared = catalogue.all.flatMap(({ methods }) => methods.map(({ name }) => name));
    assert.deepEqual(
      declared.filter((name) => !seen.has(name)),
      [],
    );
  });

  it("kills what is to be killed once exactly once, early", () => {
    const blows = take(
      blowsOf({
        seed: 3,
        often: ["conductor-1", "compute-1"],
        once: ["api", "cells"],
        fakeHosts: 2,
        methods: ["powerOn"],
        everyMs: 1000,
      }),
      200,
    );
    const killed = blows.flatMap((blow, at) => (blow.what === "kill" ? [[blow.process, at] as const] : []));
    for (const name of ["api", "cells"])
      assert.ok(killed.filter(([process, at]) => process === name && at < 20).length === 1, name);
    assert.equal(killed.filter(([process]) => process === "api").length, 1);
    assert.ok(killed.some(([process]) => process === "compute-1"));
  });
});
