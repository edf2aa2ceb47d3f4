import assert from "node:assert/strict";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { aCall } from "../testing/a-call.js";
import { bootMark, removeMadeVolumes } from "./boot-volumes.js";

/** A boot whose volumes are to go, and what makes them. */
function world() {
  const cinder = fakeCinder();
  const call = aCall({});
  const made = (status = "available") => cinder.addVolume({ status, metadata: bootMark(call, "device") });
  return { cinder, call, made, remove: () => removeMadeVolumes(call, cinder) };
}

describe("volumes that a boot has made", () => {
  it("are deleted, again and again, and nobody else's", async () => {
    const { cinder, made, remove } = world();
    const other = cinder.addVolume();
    made();
    made("error");
    for (let n = 0; n < 2; n++) await remove();
    assert.deepEqual([...cinder.volumes.keys()], [other.id]);
  });

  it("are waited for while they are being made", async () => {
    const { cinder, made, remove } = world();
    const { id } = made("downloading");
    await assert.rejects(remove(), { reason: "UNAVAILABLE" });
    cinder.setVolume(id, { status: "available" });
    await remove();
    assert.equal(cinder.volumes.size, 0);
  });

  it("stay behind when what makes them has died at it, and the server's end does not hang on that", async () => {
    const { cinder, call, made, remove } = world();
    const { id } = made("creating");
    const { id: other } = made("creating");
    const minute = 60_000_000n;
    cinder.setVolume(id, { createdAt: call.now - 61n * minute });
    cinder.setVolume(other, { createdAt: call.now - 59n * minute });
    await assert.rejects(remove(), { reason: "UNAVAILABLE" });
    cinder.setVolume(other, { status: "available" });
    await remove();
    assert.deepEqual([...cinder.volumes.keys()], [id]);
  });

  it("stay behind when somebody has put them to use, and do not keep the others", async () => {
    const { cinder, call, made, remove } = world();
    const [copied, taken] = [made(), made()];
    made();
    cinder.addSnapshot({ volumeId: copied.id });
    await cinder.createAttachment(call.ctx, { volumeId: taken.id, serverId: "another" });
    await remove();
    assert.deepEqual([...cinder.volumes.keys()], [copied.id, taken.id]);
  });
});
