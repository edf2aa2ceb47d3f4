import assert from "node:assert/strict";
import { aRequest, anImage, extraSpecs } from "../testing/builders.js";
import type { RequestSpec } from "./request-spec.js";
import { maskedCpus, resourceRequest } from "./resource-request.js";

const groupsOf = (request: Partial<RequestSpec>): Record<string, unknown> =>
  Object.fromEntries(
    resourceRequest(aRequest(request), [], 0).groups.map(({ suffix, resources, required }) => [
      suffix,
      {
        ...Object.fromEntries(resources),
        ...(required.length > 0
          ? { required: required.map(({ anyOf, forbidden }) => `${forbidden ? "!" : ""}${anyOf.join("|")}`) }
          : {}),
      },
    ]),
  );
const plain = { VCPU: 1, MEMORY_MB: 512, DISK_GB: 1 };

describe("resourceRequest", () => {
  const cases: readonly [name: string, request: Partial<RequestSpec>, groups: unknown][] = [
    ["takes the flavor", {}, { "": plain }],
    [
      "adds disks up, swap rounded to GiB",
      { rootGib: 2, ephemeralGib: 3, swapMib: 1025 },
      { "": { ...plain, DISK_GB: 7 } },
    ],
    ["needs no root disk without an image", { image: undefined }, { "": { VCPU: 1, MEMORY_MB: 512 } }],
    [
      "lets extra specs override and drop classes",
      extraSpecs({ "resources:VCPU": "0", "resources:CUSTOM_X": "2" }),
      { "": { MEMORY_MB: 512, DISK_GB: 1, CUSTOM_X: 2 } },
    ],
    [
      "makes groups of suffixes",
      extraSpecs({ "resources1:VGPU": "1", "trait1:CUSTOM_GPU": "required" }),
      { "": plain, "1": { VGPU: 1, required: ["CUSTOM_GPU"] } },
    ],
    [
      "takes required and forbidden traits",
      extraSpecs({ "trait:A": "required", "trait:B": "forbidden", "trait:C": "maybe" }),
      { "": { ...plain, required: ["A", "!B"] } },
    ],
    [
      "takes the image's traits once",
      { image: anImage({ "trait:A": "required" }), ...extraSpecs({ "trait:A": "required" }) },
      { "": { ...plain, required: ["A"] } },
    ],
    [
      "pins all CPUs",
      { vcpus: 4, ...extraSpecs({ "hw:cpu_policy": "dedicated" }) },
      { "": { PCPU: 4, MEMORY_MB: 512, DISK_GB: 1 } },
    ],
    [
      "adds one for isolated emulator threads",
      { vcpus: 4, ...extraSpecs({ "hw:cpu_policy": "dedicated", "hw:emulator_threads_policy": "isolate" }) },
      { "": { PCPU: 5, MEMORY_MB: 512, DISK_GB: 1 } },
    ],
    [
      "splits mixed CPUs by the mask",
      { vcpus: 4, ...extraSpecs({ "hw:cpu_policy": "mixed", "hw:cpu_dedicated_mask": "0-1" }) },
      { "": { PCPU: 2, VCPU: 2, MEMORY_MB: 512, DISK_GB: 1 } },
    ],
    [
      "asks for devices by traits",
      extraSpecs({ "hw:tpm_version": "2.0", "os:secure_boot": "required" }),
      { "": { ...plain, required: ["COMPUTE_SECURITY_TPM_2_0", "COMPUTE_SECURITY_UEFI_SECURE_BOOT"] } },
    ],
  ];
  for (const [name, request, groups] of cases) it(name, () => assert.deepEqual(groupsOf(request), groups));
  it("passes the group policy on", () =>
    assert.equal(
      resourceRequest(aRequest(extraSpecs({ group_policy: "isolate" })), [], 5).groupPolicy,
      "isolate",
    ));
  it("adds the groups of ports and devices, under their own policy", () => {
    const port = {
      suffix: "port-1",
      resources: new Map([["NET_BW_EGR_KILOBIT_PER_SEC", 5]]),
      required: [],
      memberOf: [],
      inTree: "",
    };
    const request = aRequest({
      groups: [port],
      groupPolicy: "none",
      sameSubtree: [["port-1", "1"]],
      ...extraSpecs({ "resources1:VGPU": "1", group_policy: "isolate" }),
    });
    const { groups, groupPolicy, sameSubtree } = resourceRequest(request, [], 5);
    assert.deepEqual(
      groups.map(({ suffix }) => suffix),
      ["", "1", "port-1"],
    );
    assert.equal(groups.at(-1), port);
    assert.deepEqual([groupPolicy, sameSubtree], ["none", [["port-1", "1"]]]);
  });
});

describe("maskedCpus", () => {
  for (const [mask, cpus] of [
    ["0-2", [0, 1, 2]],
    ["^0", [1, 2, 3]],
    ["0-3,^1", [0, 2, 3]],
    ["2,9", [2]],
  ] as const) {
    it(`reads ${mask}`, () => assert.deepEqual([...maskedCpus(mask, 4)].sort(), cpus));
  }
});
