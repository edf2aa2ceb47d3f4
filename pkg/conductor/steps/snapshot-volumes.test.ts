import assert from "node:assert/strict";
import { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceDestination, BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CinderErrors } from "../../clients/cinder/errors.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { aCall } from "../testing/a-call.js";
import { snapshotVolumes } from "./snapshot-volumes.js";

const VOLUME = "a0000000-0000-4000-8000-000000000001";

/** A server on a volume, and a service that makes snapshots whose answers may be lost. */
function world() {
  const cinder = fakeCinder();
  cinder.addVolume({ id: VOLUME, status: "in-use" });
  cinder.newOnes = "creating";
  const device = BlockDeviceRecord.fromPartial({
    id: "d",
    volumeId: VOLUME,
    destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
  });
  const lost = { answers: 0 };
  const ports = {
    cinder: {
      ...cinder,
      createSnapshot: async (...asked: Parameters<typeof cinder.createSnapshot>) => {
        const made = await cinder.createSnapshot(...asked);
        if (lost.answers-- > 0) throw CinderErrors.BLOCK_STORAGE_UNAVAILABLE({});
        return made;
      },
    },
    records: { listBlockDevices: async () => ({ blockDevices: [device], nextPageToken: "" }) },
  } as unknown as Ports;
  const input = CreateImageInput.fromPartial({ name: "picture", volumeIds: [VOLUME] });
  const call = (firstStart = false): StepCall<CreateImageInput> => ({ ...aCall({ firstStart }), input });
  return { cinder, ports, call, lost, step: snapshotVolumes(ports) };
}

describe("snapshots of a server's volumes", () => {
  it("are each made once, whatever answer is lost", async () => {
    const { cinder, call, lost, step } = world();
    lost.answers = 1;
    await assert.rejects(step.run(call(true)), { reason: "BLOCK_STORAGE_UNAVAILABLE" });
    assert.equal((await step.run(call())).kind, "park");
    for (const { id } of cinder.snapshots.values()) cinder.setSnapshot(id, { status: "available" });
    assert.equal((await step.run(call())).kind, "done");
    assert.equal(cinder.snapshots.size, 1);
  });

  it("are one each in the end, also when the first of two requests comes to something after the second", async () => {
    const { cinder, call, step } = world();
    assert.equal((await step.run(call(true))).kind, "park");
    const [first] = cinder.snapshots.values();
    assert.ok(first);
    const { id: second } = cinder.addSnapshot({
      volumeId: VOLUME,
      metadata: first.metadata,
      status: "creating",
    });
    cinder.setSnapshot(first.id, { status: "available" });
    await assert.rejects(step.run(call()), { reason: "UNAVAILABLE" });
    cinder.setSnapshot(second, { status: "available" });
    const result = await step.run(call());
    assert.ok(result.kind === "done");
    assert.deepEqual([...cinder.snapshots.keys()], [first.id]);
    assert.deepEqual(result.output, {
      snapshots: [{ deviceId: "d", snapshotId: first.id, sizeGib: 1 }],
    });
  });

  it("go when they are given up, but for one that what makes it has died at", async () => {
    const { cinder, call, step } = world();
    await step.run(call(true));
    const [made] = cinder.snapshots.values();
    assert.ok(made);
    await assert.rejects(async () => step.undo?.(call()), { reason: "UNAVAILABLE" });
    cinder.setSnapshot(made.id, { createdAt: call().now - 3_601_000_000n });
    await step.undo?.(call());
    cinder.setSnapshot(made.id, { status: "error" });
    await step.undo?.(call());
    assert.equal(cinder.snapshots.size, 0);
  });
});
