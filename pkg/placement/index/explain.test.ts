import assert from "node:assert/strict";
import type { ProviderDetails } from "../domain/model.js";
import { aCandidateRequest, aGroup, aProvider, anIndex, conditions } from "../testing/builders.js";
import { shortfallOf } from "./explain.js";
import type { CandidateRequest } from "./request.js";

const cases: readonly [
  name: string,
  host: ProviderDetails,
  request: CandidateRequest,
  reason: string | undefined,
  missing?: number,
][] = [
  ["nothing", aProvider("h", { VCPU: 1 }), aCandidateRequest([aGroup("", { VCPU: 1 })]), undefined],
  [
    "a class",
    aProvider("h", { VCPU: 1 }),
    aCandidateRequest([aGroup("", { DISK_GB: 1 })]),
    "NO_INVENTORY",
    1,
  ],
  [
    "an amount, and how much of it",
    aProvider("h", { VCPU: [8, 5] }),
    aCandidateRequest([aGroup("", { VCPU: 4 })]),
    "NOT_ENOUGH",
    0.25,
  ],
  [
    "units",
    {
      ...aProvider("h"),
      inventories: [
        {
          resourceClass: "VCPU",
          total: 8,
          reserved: 0,
          minUnit: 1,
          maxUnit: 2,
          stepSize: 1,
          allocationRatio: 1,
          used: 0,
        },
      ],
    },
    aCandidateRequest([aGroup("", { VCPU: 4 })]),
    "UNIT_VIOLATED",
    1,
  ],
  [
    "a trait",
    aProvider("h", { VCPU: 1 }),
    aCandidateRequest([aGroup("", { VCPU: 1 }, { required: conditions("X") })]),
    "TRAIT_MISSING",
    1,
  ],
  [
    "the absence of a trait",
    aProvider("h", { VCPU: 1 }, { traits: ["X"] }),
    aCandidateRequest([aGroup("", { VCPU: 1 })], { rootRequired: conditions("!X") }),
    "TRAIT_FORBIDDEN",
    1,
  ],
  [
    "an aggregate",
    aProvider("h", { VCPU: 1 }),
    aCandidateRequest([aGroup("", { VCPU: 1 }, { memberOf: conditions("a") })]),
    "NOT_IN_AGGREGATE",
    1,
  ],
  [
    "the right tree",
    aProvider("h", { VCPU: 1 }),
    aCandidateRequest([aGroup("", { VCPU: 1 }, { inTree: "other" })]),
    "NOT_IN_TREE",
    1,
  ],
];

describe("shortfallOf", () => {
  for (const [name, host, request, reason, missing] of cases) {
    it(`names what is missing: ${name}`, () => {
      const found = shortfallOf(anIndex(host), request, 0);
      assert.equal(found?.reason, reason);
      assert.equal(found?.missing, missing);
    });
  }
});
