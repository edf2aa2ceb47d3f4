import assert from "node:assert/strict";
import { BuildGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { fakeGlance } from "../../clients/glance/testing/fake-glance.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { TO, VOLUME, aMove, claimedTo, doneOf } from "../testing/a-move.js";
import { buildShelvedGuest } from "./build-guest.js";
import { endShelving } from "./shelved-image.js";

/** A server that is offloaded, with the image of its shelving, and a host that is claimed for it. */
async function offloaded() {
  const world = await aMove();
  const images = fakeGlance();
  const { id: imageId } = images.add({ name: "vm-shelved" });
  const ports: Ports = { ...world.ports, images };
  const server = {
    ...world.server,
    vmState: VmState.VM_STATE_SHELVED_OFFLOADED,
    shelving: { imageId, shelvedAt: undefined },
  };
  const call = (): StepCall => world.moving({}, { instance: { server }, steps: [claimedTo] });
  return { ...world, ports, images, imageId, call };
}

describe("build-guest of an offloaded server", () => {
  it("builds it from the image of its shelving, which stays: what was not stored is done again", async () => {
    const { ports, images, imageId, call, sent } = await offloaded();
    for (let n = 0; n < 2; n++) {
      const { change } = doneOf(await buildShelvedGuest(ports).run(call()));
      const { vmState, powerState, launchedAt } = change?.set ?? {};
      assert.deepEqual([vmState, powerState], [undefined, PowerState.POWER_STATE_RUNNING]);
      assert.ok(launchedAt !== undefined);
      assert.ok(images.images.has(imageId));
    }
    const told = sent.map(({ host, command, input }) => {
      const { instance, volumes } = BuildGuestInput.decode(input);
      return [host, command, instance?.spec?.image?.id, volumes.map(({ volumeId }) => volumeId)];
    });
    const once = [TO, "build-guest", imageId, [VOLUME]];
    assert.deepEqual(told, [once, once]);
  });

  it("gives the host the user data that came with the request", async () => {
    const { ports, call, sent } = await offloaded();
    const given = ServerSecrets.fromPartial({ userData: "eA==" });
    const secrets = Buffer.from(ServerSecrets.encode(given).finish());
    doneOf(await buildShelvedGuest(ports).run({ ...call(), secrets }));
    const [{ input } = assert.fail("nothing was sent")] = sent;
    assert.equal(BuildGuestInput.decode(input).secrets?.userData, "eA==");
  });

  it("fails for good without the image", async () => {
    const { ports, images, imageId, call } = await offloaded();
    await images.deleteImage(call().ctx, imageId);
    const result = await buildShelvedGuest(ports).run(call());
    assert.deepEqual(
      [result.kind === "fail" && result.error.reason, result.kind === "fail" && result.backTo],
      ["SHELVED_IMAGE_GONE", ""],
    );
  });

  it("waits for an Image service that is away: the image is not gone", async () => {
    const { ports, images, call, sent } = await offloaded();
    images.down = true;
    await assert.rejects(async () => buildShelvedGuest(ports).run(call()), { reason: "IMAGE_UNAVAILABLE" });
    assert.deepEqual(sent, []);
  });

  it("is undone at the host, and waits for one that is down: the guest may run there", async () => {
    const { ports, call, sent, down } = await offloaded();
    assert.equal(await buildShelvedGuest(ports).undo?.(call()), undefined);
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [[TO, "destroy-guest"]],
    );
    down.add(TO);
    await assert.rejects(async () => buildShelvedGuest(ports).undo?.(call()), { kind: "unavailable" });
  });
});

describe("end-shelving", () => {
  it("deletes the image, and does it again; once begun, no request to cancel cuts it short", async () => {
    const { ports, images, call } = await offloaded();
    const step = endShelving(ports);
    assert.equal(step.finishes, true);
    for (let n = 0; n < 2; n++) {
      const { change } = doneOf(await step.run(call()));
      assert.deepEqual(change?.set, { vmState: VmState.VM_STATE_ACTIVE, shelving: undefined });
      assert.equal(images.images.size, 0);
    }
  });

  it("leaves the image in the record while the Image service is away", async () => {
    const { ports, images, call } = await offloaded();
    images.down = true;
    const { change } = doneOf(await endShelving(ports).run(call()));
    assert.deepEqual(change?.set, { vmState: VmState.VM_STATE_ACTIVE });
  });
});
