import assert from "node:assert/strict";
import { aHostView, aRequest, aSource, anImage, extraSpecs } from "../testing/builders.js";
import { hostPrefilters } from "./host-prefilters.js";
import type { HostFacts } from "./host-view.js";
import type { RequestSpec } from "./request-spec.js";

/** Reasons for which host h1 of cell1, in zone west, is refused. */
const reasons = (request: Partial<RequestSpec>, host: Partial<HostFacts> = {}): string[] =>
  hostPrefilters
    .filter((rule) => rule.applies(aRequest(request)))
    .flatMap((rule) => {
      const verdict = rule.judge(
        aHostView({ host: "h1", availabilityZone: "west", ...host }),
        aRequest(request),
      );
      return verdict.passed ? [] : [verdict.reason];
    });

type Case = readonly [
  name: string,
  request: Partial<RequestSpec>,
  host: Partial<HostFacts>,
  refused: readonly string[],
];

const table = (cases: readonly Case[]): void => {
  for (const [name, request, host, refused] of cases)
    it(name, () => assert.deepEqual(reasons(request, host), refused));
};

describe("rules about a host's name and zone", () =>
  table([
    ["let a plain boot go anywhere", {}, {}, []],
    ["refuse another zone", { availabilityZone: "nova" }, {}, ["OTHER_ZONE"]],
    ["refuse it for a wish too", { availabilityZone: "nova", requestedHost: "h1" }, {}, ["OTHER_ZONE"]],
    ["but not for a host that is forced", { availabilityZone: "nova", forcedHost: "h1" }, {}, []],
    ["nor for a node that is", { availabilityZone: "nova", forcedNode: "h1" }, {}, []],
    ["refuse other hosts", { availabilityZone: "nova", forcedHost: "h2" }, {}, ["OTHER_HOST_REQUESTED"]],
  ]));

describe("rules about a move's source", () =>
  table([
    ["refuse it", { purpose: "resize", source: aSource() }, {}, ["IS_SOURCE"]],
    ["allow it where that is wanted", { purpose: "resize", source: aSource({ allowed: true }) }, {}, []],
    [
      "never for a live migration",
      { purpose: "live-migration", source: aSource({ allowed: true }) },
      {},
      ["IS_SOURCE"],
    ],
    [
      "never for an evacuation",
      { purpose: "evacuation", source: aSource({ allowed: true }) },
      {},
      ["IS_SOURCE"],
    ],
    ["let others pass", { purpose: "resize", source: aSource() }, { host: "h2" }, []],
    [
      "know a host of the same name in another cell",
      { purpose: "resize", source: aSource() },
      { cell: "cell2" },
      [],
    ],
    [
      "refuse it though it is forced",
      { purpose: "live-migration", source: aSource(), forcedHost: "h1" },
      {},
      ["IS_SOURCE"],
    ],
  ]));

describe("rules about cells", () =>
  table([
    ["refuse others than those wanted", { onlyCells: new Set(["cell2"]) }, {}, ["OTHER_CELL"]],
    ["refuse those not wanted", { exceptCells: new Set(["cell1"]) }, {}, ["OTHER_CELL"]],
    ["let the rest pass", { onlyCells: new Set(["cell1"]), exceptCells: new Set(["cell2"]) }, {}, []],
    [
      "keep live migrations in their cell",
      { purpose: "live-migration", source: aSource() },
      { host: "h2", cell: "cell2" },
      ["OTHER_CELL"],
    ],
    [
      "keep evacuations in their cell, whatever is allowed",
      { purpose: "evacuation", source: aSource(), onlyCells: new Set(["cell2"]) },
      { host: "h2", cell: "cell2" },
      ["OTHER_CELL"],
    ],
    ["let resizes leave it", { purpose: "resize", source: aSource() }, { host: "h2", cell: "cell2" }, []],
  ]));

describe("rules about a live migration's hypervisor", () => {
  const live = { purpose: "live-migration", source: aSource({ host: "h0" }) } as const;
  table([
    ["pass the same", live, {}, []],
    ["pass a newer one", live, { hypervisorVersion: 8_000_000 }, []],
    ["refuse an older one", live, { hypervisorVersion: 7_001_000 }, ["OLDER_HYPERVISOR"]],
    ["refuse another", live, { hypervisorType: "fake" }, ["OTHER_HYPERVISOR"]],
    [
      "refuse all where the source is not known",
      { ...live, source: aSource({ host: "h0", hypervisor: undefined }) },
      {},
      ["OTHER_HYPERVISOR"],
    ],
    ["let cold ones go anywhere", { ...live, purpose: "cold-migration" }, { hypervisorType: "fake" }, []],
  ]);
});

describe("rules about hardware that hosts do not report", () => {
  for (const [key, value] of [
    ["hw:numa_nodes", "2"],
    ["hw:numa_cpus.0", "0-1"],
    ["hw:numa_mem.0", "512"],
    ["hw:mem_page_size", "large"],
    ["hw:cpu_policy", "dedicated"],
    ["hw:cpu_policy", "mixed"],
    ["hw:cpu_realtime", "yes"],
    ["hw:pmem", "6GB"],
  ] as const)
    it(`refuse ${key}=${value}`, () =>
      assert.deepEqual(reasons(extraSpecs({ [key]: value })), ["NUMA_NOT_REPORTED"]));
  for (const [key, value] of [
    ["hw_numa_nodes", "2"],
    ["hw_numa_cpus.0", "0-1"],
    ["hw_mem_page_size", "any"],
    ["hw_cpu_policy", "dedicated"],
    ["hw_cpu_realtime", "true"],
  ] as const)
    it(`refuse the image's ${key}=${value}`, () =>
      assert.deepEqual(reasons({ image: anImage({ [key]: value }) }), ["NUMA_NOT_REPORTED"]));
  table([
    ["let shared CPUs pass", extraSpecs({ "hw:cpu_policy": "shared", "hw:cpu_realtime": "no" }), {}, []],
    ["let a topology of sockets pass", extraSpecs({ "hw:cpu_sockets": "2" }), {}, []],
    ["refuse a flavor's devices", extraSpecs({ "pci_passthrough:alias": "gpu:1" }), {}, ["PCI_NOT_REPORTED"]],
    ["refuse a port's devices", { pciRequests: ["port-1"] }, {}, ["PCI_NOT_REPORTED"]],
  ]);
  it("say by what it was asked for", () => {
    const request = aRequest(extraSpecs({ "hw:numa_nodes": "2" }));
    const rule = hostPrefilters.find(({ name }) => name === "NumaTopology");
    const verdict = rule?.judge(aHostView(), request);
    assert.ok(verdict !== undefined && !verdict.passed);
    assert.equal(
      rule?.tellings[verdict.reason]?.text(verdict.facts),
      "no NUMA topology is known, which hw:numa_nodes needs",
    );
  });
});
