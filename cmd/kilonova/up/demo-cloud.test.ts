import assert from "node:assert/strict";
import { availableParallelism, tmpdir } from "node:os";
import { qemuDefaults } from "../../../pkg/compute/drivers/qemu/index.js";
import { readInventory } from "../../../pkg/compute/drivers/qemu/inventory.js";
import { rootCtx } from "../../../pkg/kernel/index.js";
import { demoFlavors, flavorsThatFit } from "./demo-cloud.js";

const namesThatFit = (vcpus: number, memoryMib: number, diskGib: number): readonly string[] =>
  flavorsThatFit({ vcpus, memoryMib, diskGib }).map(({ name }) => name);

describe("demo flavors", () => {
  it("are offered only where a whole host can carry them", () => {
    assert.deepEqual(namesThatFit(2, 2048, 20), ["m1.nano", "m1.tiny", "m1.small", "m1.medium"]);
    const smaller = ["m1.nano", "m1.tiny", "m1.small"];
    assert.deepEqual(namesThatFit(1, 2048, 20), smaller);
    assert.deepEqual(namesThatFit(2, 2047, 20), smaller);
    assert.deepEqual(namesThatFit(2, 2048, 19), smaller);
  });

  it("have their CPUs on hosts that share a machine of two, as each of them does", async () => {
    const host = await readInventory(
      rootCtx({ requestId: "req-demo" }),
      {
        ...qemuDefaults,
        stateDir: tmpdir(),
        hypervisorHostname: "h",
        hostIp: "::1",
        share: 0.5,
        imageDirs: [],
      },
      {
        version: 7_002_022,
        offer: { pinned: { q35: "q35", pc: "pc" }, machines: new Map(), cpuModels: new Set() },
        cpuFeatures: new Set(),
      },
    );
    assert.equal(host.vcpus, availableParallelism());
    assert.ok(Math.max(...demoFlavors.map(({ vcpus }) => vcpus)) <= 2);
  });
});
