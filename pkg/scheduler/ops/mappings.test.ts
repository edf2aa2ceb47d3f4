import assert from "node:assert/strict";
import { aCandidateRequest, aGroup, aProvider, anIndex } from "../../placement/testing/builders.js";
import { findCandidates } from "../../placement/index/index.js";
import { holding } from "../../placement/testing/ledger-builders.js";
import { mappingsOf } from "./mappings.js";

/** A host with two network cards, and another with one. */
const index = anIndex(
  aProvider("h", { VCPU: [8, 8] }),
  aProvider("h-1", { NET_BW_EGR_KILOBIT_PER_SEC: [100, 100] }, { parent: "h", traits: ["CUSTOM_A"] }),
  aProvider("h-2", { NET_BW_EGR_KILOBIT_PER_SEC: [100, 100] }, { parent: "h", traits: ["CUSTOM_B"] }),
);
const request = aCandidateRequest([
  aGroup("", { VCPU: 2 }),
  aGroup(
    "port-a",
    { NET_BW_EGR_KILOBIT_PER_SEC: 60 },
    { required: [{ anyOf: ["CUSTOM_A"], forbidden: false }] },
  ),
  aGroup(
    "port-b",
    { NET_BW_EGR_KILOBIT_PER_SEC: 60 },
    { required: [{ anyOf: ["CUSTOM_B"], forbidden: false }] },
  ),
]);
const held = [
  holding("h", { VCPU: 2 }),
  holding("h-1", { NET_BW_EGR_KILOBIT_PER_SEC: 60 }),
  holding("h-2", { NET_BW_EGR_KILOBIT_PER_SEC: 60 }),
];

describe("mappings of a claim that is held", () => {
  it("are found although the host is full by now", () => {
    assert.deepEqual(findCandidates(index, request), [], "nobody else would fit");
    assert.deepEqual(Object.fromEntries(mappingsOf(index, request, "h", held) ?? []), {
      "": ["h"],
      "port-a": ["h-1"],
      "port-b": ["h-2"],
    });
  });
  it("do not depend on what the root must have for a new claim", () => {
    const rootRequired = [{ anyOf: ["CUSTOM_GONE"], forbidden: false }];
    assert.equal(mappingsOf(index, { ...request, rootRequired }, "h", held)?.size, 3);
  });
  it("are those of the server's own group where there is no other", () => {
    const plain = aCandidateRequest([aGroup("", { VCPU: 2 })]);
    assert.deepEqual([...(mappingsOf(index, plain, "h", [holding("h", { VCPU: 2 })]) ?? [])], [["", ["h"]]]);
  });
  it("are not guessed when what is held answers another request", () => {
    assert.equal(mappingsOf(index, request, "h", held.slice(0, 2)), undefined);
    const more = [...held, holding("h-3", { NET_BW_EGR_KILOBIT_PER_SEC: 60 })];
    assert.equal(mappingsOf(index, request, "h", more), undefined);
    assert.equal(mappingsOf(index, request, "gone", held), undefined);
  });
});
