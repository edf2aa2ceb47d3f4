import assert from "node:assert/strict";
import { aCandidateRequest, aGroup, aProvider, anIndex, chance, conditions } from "../testing/builders.js";
import type { RequestGroup } from "./request.js";
import { candidateText, naiveWays } from "../testing/naive-search.js";
import { randomRequest, randomTrees } from "../testing/random-trees.js";
import { Bitset } from "./bitset.js";
import { findCandidates, searchCandidates } from "./candidates.js";
import type { Found, SearchOptions } from "./candidates.js";
import type { CandidateRequest } from "./request.js";
import type { ProviderIndex } from "./provider-index.js";

/** A host with children that have some units each. */
const wide = (children: number, units: number): ProviderIndex =>
  anIndex(
    aProvider("h"),
    ...Array.from({ length: children }, (_, at) => aProvider(`h-${at}`, { VGPU: units }, { parent: "h" })),
  );
const groups = (count: number, amount: number, name = "g"): RequestGroup[] =>
  Array.from({ length: count }, (_, at) => aGroup(`_${name}${at}`, { VGPU: amount }));
const numaNodes = (first: number, second: number): ProviderIndex =>
  anIndex(
    aProvider("h"),
    ...[first, second].flatMap((devices, node) => [
      aProvider(`n${node}`, {}, { parent: "h", traits: ["NODE"] }),
      ...Array.from({ length: devices }, (_, at) =>
        aProvider(`n${node}-${at}`, { VGPU: 1 }, { parent: `n${node}`, root: "h" }),
      ),
    ]),
  );

/** Runs a search to its end. @returns what it found, and how often it breathed */
function run(
  index: ProviderIndex,
  request: CandidateRequest,
  options: SearchOptions = {},
): Found & { readonly breaths: number } {
  const work = searchCandidates(index, request, options);
  for (let breaths = 0; ; breaths++) {
    const { done, value } = work.next();
    if (done === true) return { ...value, breaths };
  }
}

describe("searchCandidates", () => {
  it("finds the same ways in the same order as trying everything, on random trees", () => {
    let ways = 0;
    for (let seed = 1; seed <= 400; seed++) {
      const rng = chance(seed);
      const index = anIndex(...randomTrees(rng));
      const request = randomRequest(rng);
      for (const root of index.roots.toArray()) {
        const found = findCandidates(index, request, { among: Bitset.of([root]) }).map(candidateText);
        const expected = [...new Set(naiveWays(index, request, root))];
        assert.deepEqual(found, expected, `seed ${seed}, tree ${root}`);
        ways += expected.length;
      }
    }
    assert.ok(ways > 300, `the cases have answers: ${ways}`);
  });

  // Each took seconds to hours when every order of equal groups was tried.
  const impossible: readonly [name: string, index: ProviderIndex, request: CandidateRequest][] = [
    ["one group more than there are children", wide(10, 1), aCandidateRequest(groups(11, 1), { limit: 10 })],
    ["the same, wide", wide(100, 1), aCandidateRequest(groups(101, 1), { limit: 10 })],
    [
      "one group more than go onto the children",
      wide(24, 8),
      aCandidateRequest(groups(25, 5), { limit: 10 }),
    ],
    [
      "groups of two sizes",
      wide(24, 8),
      aCandidateRequest([...groups(24, 5), ...groups(25, 3, "s")], { limit: 10 }),
    ],
    [
      "more isolated groups than children",
      wide(20, 100),
      aCandidateRequest(groups(21, 1), { groupPolicy: "isolate" }),
    ],
    [
      "devices that must be under one of themselves",
      numaNodes(5, 8),
      aCandidateRequest(groups(6, 1), { sameSubtree: [groups(6, 1).map(({ suffix }) => suffix)], limit: 10 }),
    ],
    [
      "more devices than one node has",
      numaNodes(5, 8),
      aCandidateRequest([...groups(9, 1), aGroup("_n", {}, { required: conditions("NODE") })], {
        sameSubtree: [[...groups(9, 1).map(({ suffix }) => suffix), "_n"]],
      }),
    ],
  ];
  for (const [name, index, request] of impossible)
    it(`refuses at once: ${name}`, () => {
      const { candidates, unfinished, breaths } = run(index, request);
      assert.deepEqual([candidates, unfinished], [[], []]);
      assert.ok(breaths < request.groups.length + 30, `${breaths} breaths`);
    });

  it("finds its way where there is hardly one", () => {
    const { candidates } = run(
      wide(24, 8),
      aCandidateRequest([...groups(24, 5), ...groups(24, 3, "s")], { limit: 50 }),
    );
    assert.equal(candidates.length, 50);
    for (const { holdings } of candidates)
      assert.ok(holdings.every(({ resources }) => (resources.get("VGPU") ?? 0) <= 8));
  });

  /** Groups of many sizes that nearly fill the children: nobody knows a quick way to tell. */
  const hard = aCandidateRequest(
    Array.from({ length: 36 }, (_, at) => aGroup(`_${at}`, { VGPU: 26 + ((at * 7919) % 15) })),
    { limit: 10 },
  );

  it("ends at its budget, says which trees are left, and breathes on the way", () => {
    const { candidates, unfinished, breaths } = run(wide(12, 100), hard, { budget: { maxSteps: 20_000 } });
    assert.deepEqual([candidates, unfinished], [[], ["h"]]);
    assert.ok(breaths > 100 && breaths < 300, `${breaths} breaths`);
  });
  it("ends when its time is up", () => {
    let asked = 0;
    const { unfinished } = run(wide(12, 100), hard, {
      budget: { maxSteps: 1_000_000, timeUp: () => ++asked > 10 },
    });
    assert.deepEqual([unfinished, asked < 20], [["h"], true]);
  });
  it("does not let a hard tree take the turns of the others", () => {
    const hosts = [
      ...Array.from({ length: 12 }, (_, at) => aProvider(`a-${at}`, { VGPU: 100 }, { parent: "a" })),
      aProvider("z", { VGPU: 10_000 }),
    ];
    const { candidates, unfinished } = run(anIndex(aProvider("a"), ...hosts), hard, {
      budget: { maxSteps: 20_000 },
    });
    assert.deepEqual([candidates.map(({ rootId }) => rootId), unfinished], [["z"], ["a"]]);
  });
  it("survives changes of the index while it rests", () => {
    const index = wide(12, 100);
    const work = searchCandidates(index, hard, { budget: { maxSteps: 20_000 } });
    for (let breath = 0; breath < 60; breath++) work.next();
    index.clear();
    for (let next = work.next(); ; next = work.next()) {
      if (next.done !== true) continue;
      assert.deepEqual(next.value.candidates, []);
      return;
    }
  });
  it("gives as many ways per tree as are asked for", () => {
    const request = aCandidateRequest([aGroup("", { VGPU: 1 })]);
    assert.equal(findCandidates(wide(9, 1), request, { perTree: 1 }).length, 1);
    assert.equal(findCandidates(wide(9, 1), request).length, 9);
  });
});
