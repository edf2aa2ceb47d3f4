import assert from "node:assert/strict";
import type { AggregateView, HostView, InstanceView } from "../domain/host-view.js";
import type { RequestSpec } from "../domain/request-spec.js";
import { ownersFacts } from "../domain/telling.js";
import type { HostFilter, HostWeigher } from "../domain/rules.js";

/** A healthy, empty host; cases show what they care for. */
export const aHostView = (init: Partial<HostView> = {}): HostView => ({
  host: "h1",
  node: init.host ?? "h1",
  computeNodeId: `id-${init.host ?? "h1"}`,
  cell: "cell1",
  availabilityZone: "nova",
  address: "",
  disabled: false,
  disabledReason: "",
  forcedDown: false,
  hostIp: "192.0.2.1",
  hypervisorType: "QEMU",
  hypervisorVersion: 7_002_000,
  supported: [["x86_64", "qemu", "hvm"]],
  capabilities: {},
  up: true,
  vcpus: { capacity: 8, used: 0 },
  memoryMib: { capacity: 16_384, used: 0 },
  diskGib: { capacity: 100, used: 0 },
  instances: new Map(),
  ioOps: 0,
  failedBuilds: 0,
  aggregates: [],
  ...init,
});

/** A small server that asks for nothing special. */
export const aRequest = (init: Partial<RequestSpec> = {}): RequestSpec => ({
  serverId: "s1",
  projectId: "p1",
  userId: "u1",
  flavorName: "m1.small",
  vcpus: 1,
  memoryMib: 512,
  rootGib: 1,
  ephemeralGib: 0,
  swapMib: 0,
  extraSpecs: new Map(),
  image: anImage(),
  availabilityZone: "",
  forcedHost: "",
  forcedNode: "",
  requestedHost: "",
  requestedNode: "",
  excludedHosts: new Set(),
  hints: new Map(),
  group: undefined,
  purpose: "boot",
  source: undefined,
  onlyCells: new Set(),
  exceptCells: new Set(),
  groups: [],
  groupPolicy: "",
  sameSubtree: [],
  pciRequests: [],
  ...init,
});

/** Where a server is that moves: host h1 of cell1. */
export const aSource = (
  init: Partial<NonNullable<RequestSpec["source"]>> = {},
): NonNullable<RequestSpec["source"]> => ({
  cell: "cell1",
  host: "h1",
  computeNodeId: `id-${init.host ?? "h1"}`,
  allowed: false,
  hypervisor: { type: "QEMU", version: 7_002_000 },
  ...init,
});

export const anImage = (
  properties: Readonly<Record<string, string>> = {},
): NonNullable<RequestSpec["image"]> => ({
  id: "i1",
  diskFormat: "qcow2",
  properties: new Map(Object.entries(properties)),
});

export const withInstances = (...ids: readonly string[]): ReadonlyMap<string, InstanceView> =>
  new Map(ids.map((id) => [id, { id, host: "h1", projectId: "p1", busy: false }]));

export const anAggregate = (metadata: Readonly<Record<string, string>>): AggregateView => ({
  id: "a1",
  metadata: new Map(Object.entries(metadata)),
});

export const extraSpecs = (specs: Readonly<Record<string, string>>): Partial<RequestSpec> => ({
  extraSpecs: new Map(Object.entries(specs)),
});

/** name of the case, host, request, reason of the refusal or "" when it passes, options */
export type FilterCase = readonly [
  name: string,
  host: Partial<HostView>,
  request: Partial<RequestSpec>,
  reason: string,
  options?: object,
];

/** One test per row. */
export function judgeTable(filter: HostFilter, cases: readonly FilterCase[]): void {
  describe(filter.name, () => {
    for (const [name, host, request, reason, options = {}] of cases) {
      it(name, () => {
        const view = aHostView(host);
        const verdict = filter.bind(options)(view, aRequest(request));
        assert.equal(verdict.passed ? "" : verdict.reason, reason);
        if (verdict.passed) return;
        const telling = filter.tellings[verdict.reason] ?? assert.fail(`nobody tells ${verdict.reason}`);
        const told = telling.text(ownersFacts(verdict.facts, telling));
        assert.doesNotMatch(told, /undefined/);
        assert.ok(!told.includes(view.host), `names the host: ${told}`);
      });
    }
  });
}

/** name of the case, host, request, raw value */
export type WeigherCase = readonly [
  name: string,
  host: Partial<HostView>,
  request: Partial<RequestSpec>,
  raw: number,
];

export function weighTable(weigher: HostWeigher, cases: readonly WeigherCase[]): void {
  describe(weigher.name, () => {
    for (const [name, host, request, raw] of cases)
      it(name, () => assert.equal(weigher.raw(aHostView(host), aRequest(request)), raw));
  });
}

/** An anti-affinity group of servers a, b and c. */
export const aGroup = (
  init: Partial<NonNullable<RequestSpec["group"]>> = {},
): NonNullable<RequestSpec["group"]> => ({
  id: "g1",
  policy: "anti-affinity",
  maxServerPerHost: 1,
  members: new Set(["a", "b", "c", "s1"]),
  hosts: new Set(),
  ...init,
});
