import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import { SHARING_TRAIT } from "../domain/model.js";
import type { ProviderDetails } from "../domain/model.js";
import { aCandidateRequest, aGroup, aProvider, anIndex, conditions } from "../testing/builders.js";
import { findCandidates, treesOf } from "./candidates.js";
import type { CandidateRequest } from "./request.js";

/** `host: VCPU=1 DISK_GB=2 + shared: …`, sorted, so that a case shows what matters. */
const shown = (providers: readonly ProviderDetails[], request: CandidateRequest): string[] =>
  findCandidates(anIndex(...providers), request)
    .map(({ holdings }) =>
      holdings
        .map(
          ({ providerId, resources }) =>
            `${providerId}:${[...resources]
              .map(([name, amount]) => `${name}=${amount}`)
              .sort()
              .join(",")}`,
        )
        .sort()
        .join(" + "),
    )
    .sort();

const sharedDisk = aProvider("nfs", { DISK_GB: 1000 }, { traits: [SHARING_TRAIT], aggregates: ["agg"] });
const gpuHost = [
  aProvider("h", { VCPU: 8, MEMORY_MB: 64 }, { traits: ["HOST"] }),
  aProvider("h-n0", { VGPU: 2 }, { parent: "h", traits: ["N0"] }),
  aProvider("h-n1", { VGPU: 2 }, { parent: "h", traits: ["N1"] }),
];
const numa = [
  aProvider("h"),
  aProvider("h-n0", { VCPU: 4 }, { parent: "h" }),
  aProvider("h-n0-nic", { NIC: 1 }, { parent: "h-n0", root: "h" }),
  aProvider("h-n1", { VCPU: 4 }, { parent: "h" }),
  aProvider("h-n1-nic", { NIC: 1 }, { parent: "h-n1", root: "h" }),
];

describe("findCandidates", () => {
  const cases: readonly [
    name: string,
    providers: readonly ProviderDetails[],
    request: CandidateRequest,
    expected: readonly string[],
  ][] = [
    [
      "finds providers with room",
      [aProvider("a", { VCPU: 2 }), aProvider("b", { VCPU: [8, 7] })],
      aCandidateRequest([aGroup("", { VCPU: 2 })]),
      ["a:VCPU=2"],
    ],
    [
      "wants every class",
      [aProvider("a", { VCPU: 2 }), aProvider("b", { VCPU: 2, DISK_GB: 9 })],
      aCandidateRequest([aGroup("", { VCPU: 1, DISK_GB: 1 })]),
      ["b:DISK_GB=1,VCPU=1"],
    ],
    [
      "truncates capacity",
      [
        {
          ...aProvider("a"),
          inventories: [
            {
              resourceClass: "VCPU",
              total: 3,
              reserved: 0,
              minUnit: 1,
              maxUnit: 9,
              stepSize: 1,
              allocationRatio: 1.5,
              used: 0,
            },
          ],
        },
      ],
      aCandidateRequest([aGroup("", { VCPU: 5 })]),
      [],
    ],
    [
      "respects units",
      [
        {
          ...aProvider("a"),
          inventories: [
            {
              resourceClass: "VCPU",
              total: 9,
              reserved: 0,
              minUnit: 2,
              maxUnit: 4,
              stepSize: 2,
              allocationRatio: 1,
              used: 0,
            },
          ],
        },
      ],
      aCandidateRequest([aGroup("", { VCPU: 3 })]),
      [],
    ],
    [
      "wants required traits and no forbidden ones",
      [
        aProvider("a", { VCPU: 1 }, { traits: ["X"] }),
        aProvider("b", { VCPU: 1 }, { traits: ["X", "Y"] }),
        aProvider("c", { VCPU: 1 }),
      ],
      aCandidateRequest([aGroup("", { VCPU: 1 }, { required: conditions("X", "!Y") })]),
      ["a:VCPU=1"],
    ],
    [
      "takes any of several traits",
      [
        aProvider("a", { VCPU: 1 }, { traits: ["X"] }),
        aProvider("b", { VCPU: 1 }, { traits: ["Y"] }),
        aProvider("c", { VCPU: 1 }),
      ],
      aCandidateRequest([aGroup("", { VCPU: 1 }, { required: conditions("in:X,Y") })]),
      ["a:VCPU=1", "b:VCPU=1"],
    ],
    [
      "never splits a class over providers",
      [
        aProvider("h"),
        aProvider("h-0", { VCPU: 2 }, { parent: "h" }),
        aProvider("h-1", { VCPU: 2 }, { parent: "h" }),
      ],
      aCandidateRequest([aGroup("", { VCPU: 3 })]),
      [],
    ],
    [
      "takes classes from several providers of a tree",
      gpuHost,
      aCandidateRequest([aGroup("", { VCPU: 1, VGPU: 1 })]),
      ["h-n0:VGPU=1 + h:VCPU=1", "h-n1:VGPU=1 + h:VCPU=1"],
    ],
    [
      "covers the traits of the unsuffixed group collectively",
      gpuHost,
      aCandidateRequest([aGroup("", { VCPU: 1, VGPU: 1 }, { required: conditions("HOST", "N1") })]),
      ["h-n1:VGPU=1 + h:VCPU=1"],
    ],
    [
      "only by providers that give something",
      gpuHost,
      aCandidateRequest([aGroup("", { VCPU: 1 }, { required: conditions("N1") })]),
      [],
    ],
    [
      "wants everything of a suffixed group from one provider",
      gpuHost,
      aCandidateRequest([aGroup("1", { VCPU: 1, VGPU: 1 })]),
      [],
    ],
    [
      "lets groups share a provider within its room",
      gpuHost,
      aCandidateRequest([aGroup("1", { VGPU: 2 }), aGroup("2", { VGPU: 1 })]),
      ["h-n0:VGPU=1 + h-n1:VGPU=2", "h-n0:VGPU=2 + h-n1:VGPU=1"],
    ],
    [
      "keeps isolated groups apart",
      gpuHost,
      aCandidateRequest([aGroup("1", { VGPU: 1 }), aGroup("2", { VGPU: 1 })], { groupPolicy: "isolate" }),
      ["h-n0:VGPU=1 + h-n1:VGPU=1", "h-n0:VGPU=1 + h-n1:VGPU=1"],
    ],
    [
      "lets the unsuffixed group overlap isolated ones",
      [aProvider("a", { VCPU: 2, VGPU: 1 })],
      aCandidateRequest([aGroup("", { VCPU: 1 }), aGroup("1", { VGPU: 1 })], { groupPolicy: "isolate" }),
      ["a:VCPU=1,VGPU=1"],
    ],
    [
      "uses sharing providers of the tree's aggregates",
      [aProvider("a", { VCPU: 1 }, { aggregates: ["agg"] }), aProvider("b", { VCPU: 1 }), sharedDisk],
      aCandidateRequest([aGroup("", { VCPU: 1, DISK_GB: 5 })]),
      ["a:VCPU=1 + nfs:DISK_GB=5"],
    ],
    [
      "lets a sharing provider stand alone, once",
      [aProvider("a", { VCPU: 1 }, { aggregates: ["agg"] }), sharedDisk],
      aCandidateRequest([aGroup("", { DISK_GB: 5 })]),
      ["nfs:DISK_GB=5"],
    ],
    [
      "binds the unsuffixed group to a tree without what is shared",
      [aProvider("a", { VCPU: 1 }, { aggregates: ["agg"] }), sharedDisk],
      aCandidateRequest([aGroup("", { VCPU: 1, DISK_GB: 5 }, { inTree: "a" })]),
      [],
    ],
    [
      "finds nothing in an unknown tree",
      [aProvider("a", { VCPU: 1 })],
      aCandidateRequest([aGroup("", { VCPU: 1 }, { inTree: "nope" })]),
      [],
    ],
    [
      "spans a root's aggregate over the tree for the unsuffixed group",
      [aProvider("h", {}, { aggregates: ["agg"] }), aProvider("h-0", { VCPU: 1 }, { parent: "h" })],
      aCandidateRequest([aGroup("", { VCPU: 1 }, { memberOf: conditions("agg") })]),
      ["h-0:VCPU=1"],
    ],
    [
      "but not for suffixed ones",
      [aProvider("h", {}, { aggregates: ["agg"] }), aProvider("h-0", { VCPU: 1 }, { parent: "h" })],
      aCandidateRequest([aGroup("1", { VCPU: 1 }, { memberOf: conditions("agg") })]),
      [],
    ],
    [
      "keeps out of forbidden aggregates",
      [aProvider("a", { VCPU: 1 }, { aggregates: ["agg"] }), aProvider("b", { VCPU: 1 })],
      aCandidateRequest([aGroup("", { VCPU: 1 }, { memberOf: conditions("!agg") })]),
      ["b:VCPU=1"],
    ],
    [
      "judges the root by root_required",
      [...gpuHost, aProvider("x", { VCPU: 1 })],
      aCandidateRequest([aGroup("", { VCPU: 1 })], { rootRequired: conditions("HOST") }),
      ["h:VCPU=1"],
    ],
    [
      "wants groups under one provider",
      numa,
      aCandidateRequest([aGroup("_c", { VCPU: 1 }), aGroup("_n", { NIC: 1 })], {
        sameSubtree: [["_c", "_n"]],
      }),
      ["h-n0-nic:NIC=1 + h-n0:VCPU=1", "h-n1-nic:NIC=1 + h-n1:VCPU=1"],
    ],
    [
      "takes resourceless groups as anchors",
      [
        ...numa.slice(0, 3),
        aProvider("h-n1", { VCPU: 4 }, { parent: "h", traits: ["BIG"] }),
        ...numa.slice(4),
      ],
      aCandidateRequest([aGroup("_n", { NIC: 1 }), aGroup("_big", {}, { required: conditions("BIG") })], {
        sameSubtree: [["_n", "_big"]],
      }),
      ["h-n1-nic:NIC=1"],
    ],
  ];
  for (const [name, providers, request, expected] of cases)
    it(name, () => assert.deepEqual(shown(providers, request), expected));

  it("says which group is where", () => {
    const [way] = findCandidates(
      anIndex(...gpuHost),
      aCandidateRequest([aGroup("", { VCPU: 1 }), aGroup("_g", { VGPU: 1 }, { required: conditions("N1") })]),
    );
    assert.deepEqual([...(way?.mappings ?? [])].sort(), [
      ["", ["h"]],
      ["_g", ["h-n1"]],
    ]);
  });

  it("goes over the trees in breadth, so that a wide one starves nobody", () => {
    const wide = [
      aProvider("w"),
      ...Array.from({ length: 20 }, (_, number) => aProvider(`w-${number}`, { VGPU: 1 }, { parent: "w" })),
    ];
    const narrow = aProvider("z", { VGPU: 1 });
    const found = findCandidates(
      anIndex(...wide, narrow),
      aCandidateRequest([aGroup("", { VGPU: 1 })], { limit: 3 }),
    );
    assert.equal(found.length, 3);
    assert.ok(found.some(({ rootId }) => rootId === "z"));
  });

  it("starts elsewhere when told so", () => {
    const index = anIndex(...["a", "b", "c", "d"].map((name) => aProvider(name, { VCPU: 1 })));
    const at = (startAt: number): string | undefined =>
      findCandidates(index, aCandidateRequest([aGroup("", { VCPU: 1 })], { limit: 1 }), { startAt })[0]
        ?.rootId;
    assert.deepEqual([at(0), at(0.5), at(0.99)], ["a", "c", "d"]);
  });

  it("ends early on hopeless products", () => {
    const children = Array.from({ length: 40 }, (_, number) =>
      aProvider(`h-${number}`, { VGPU: 1 }, { parent: "h" }),
    );
    const groups = Array.from({ length: 8 }, (_, number) => aGroup(String(number + 1), { VGPU: 1 }));
    const found = findCandidates(
      anIndex(aProvider("h"), ...children),
      aCandidateRequest(groups, { groupPolicy: "isolate", limit: 5 }),
    );
    assert.equal(found.length, 5);
  });

  it("summarises whole trees and what is shared", () => {
    const index = anIndex(
      aProvider("a", { VCPU: 1 }, { aggregates: ["agg"] }),
      aProvider("a-0", {}, { parent: "a" }),
      sharedDisk,
      aProvider("b"),
    );
    assert.deepEqual(
      treesOf(index, findCandidates(index, aCandidateRequest([aGroup("", { VCPU: 1, DISK_GB: 1 })]))).sort(),
      ["a", "a-0", "nfs"],
    );
  });

  const bad: readonly [string, CandidateRequest][] = [
    ["no resources at all", aCandidateRequest([aGroup("", {})])],
    [
      "several groups without policy",
      aCandidateRequest([aGroup("1", { VCPU: 1 }), aGroup("2", { VCPU: 1 })], { groupPolicy: "" }),
    ],
    [
      "an unknown group in same_subtree",
      aCandidateRequest([aGroup("1", { VCPU: 1 })], { sameSubtree: [["1", "2"]] }),
    ],
    [
      "a trait required and forbidden",
      aCandidateRequest([aGroup("", { VCPU: 1 }, { required: conditions("X", "!X") })]),
    ],
  ];
  for (const [name, request] of bad)
    it(`refuses ${name}`, () =>
      assert.throws(
        () => findCandidates(anIndex(), request),
        (error) => error instanceof KilonovaError && error.reason === "CANDIDATES_INVALID",
      ));
});
