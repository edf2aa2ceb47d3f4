import assert from "node:assert/strict";
import { AttachVolumeInput, DetachVolumeInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { CommonErrors } from "../../kernel/errors.js";
import { testCtx } from "../../testkit/ctx.js";
import type { Ports } from "../ports.js";
import { SERVER, finished } from "../testing/a-call.js";
import { FROM, TO, VOLUME, aMove, doneOf } from "../testing/a-move.js";
import { movedVolumes, moveVolumes } from "./move-volumes.js";
import { returnVolumes } from "./return-volumes.js";

type World = Awaited<ReturnType<typeof aMove>>;

/** Attachments of the server: their state, and the host that is connected. */
const attached = ({ cinder }: World): (string | undefined)[][] =>
  [...cinder.attachments.values()].map(({ id, serverId, status }) => [
    serverId,
    status,
    cinder.connectors.get(id)?.["host"] as string | undefined,
  ]);

describe("move-volumes", () => {
  it("connects the new host instead of the old one, and does it again", async () => {
    const world = await aMove();
    for (let n = 0; n < 2; n++) {
      const { output, change } = doneOf(await moveVolumes(world.ports).run(world.moving()));
      assert.deepEqual(output, { volumeIds: [VOLUME] });
      assert.deepEqual(attached(world), [[SERVER, "attached", TO]]);
      const [{ device, updateMask } = assert.fail("nothing changes")] = change?.more?.blockDevices ?? [];
      assert.deepEqual(
        [device?.attachmentId, updateMask],
        [[...world.cinder.attachments.keys()][0], ["attachment_id", "connection_info"]],
      );
      assert.notEqual(device?.connectionInfo ?? "", "");
    }
  });

  it("asks nobody about a server without volumes", async () => {
    const world = await aMove();
    world.devices.length = 0;
    doneOf(await moveVolumes(world.ports).run(world.moving()));
    assert.deepEqual(world.sent, []);
  });

  it("tries another host when this one cannot connect", async () => {
    const world = await aMove();
    world.failing.add("describe-connector");
    const result = await moveVolumes(world.ports).run(world.moving());
    assert.equal(result.kind === "fail" && result.backTo, "claim-host");
    assert.deepEqual(attached(world), [[SERVER, "attached", FROM]]);
  });

  it("is undone to the old host, which hears how its guest reaches the volume; also before it ran", async () => {
    const world = await aMove();
    doneOf(await moveVolumes(world.ports).run(world.moving()));
    for (let n = 0; n < 2; n++) {
      world.sent.length = 0;
      const change = await moveVolumes(world.ports).undo?.(world.moving());
      assert.deepEqual(attached(world), [[SERVER, "attached", FROM]]);
      assert.deepEqual(
        world.sent.map(({ host, command }) => [host, command]),
        [
          [FROM, "describe-connector"],
          [FROM, "attach-volume"],
        ],
      );
      const given = AttachVolumeInput.decode(world.sent[1]?.input ?? Buffer.alloc(0)).device;
      const [stored] = change?.more?.blockDevices ?? [];
      assert.deepEqual(
        [given?.attachmentId, given?.connectionInfo],
        [stored?.device?.attachmentId, stored?.device?.connectionInfo],
      );
    }
  });

  it("is undone once the old host is up again: its guest could not start otherwise", async () => {
    const world = await aMove();
    doneOf(await moveVolumes(world.ports).run(world.moving()));
    world.down.add(FROM);
    const undo = async (): Promise<unknown> => moveVolumes(world.ports).undo?.(world.moving());
    await assert.rejects(undo(), { kind: "unavailable" });
    // Nothing is connected of which the host cannot hear.
    assert.deepEqual(attached(world), [[SERVER, "attached", TO]]);
    world.down.clear();
    await undo();
    assert.deepEqual(attached(world), [[SERVER, "attached", FROM]]);
  });

  it("waits for an old host that goes down when it is to be told", async () => {
    const world = await aMove();
    let asked = 0;
    const agents: Ports["agents"] = {
      isUp: async () => false,
      at: async (ctx, host) => {
        asked++;
        if (asked > 1) world.down.add(FROM);
        return world.ports.agents.at(ctx, host);
      },
    };
    const ports: Ports = { ...world.ports, agents };
    await assert.rejects(async () => moveVolumes(ports).undo?.(world.moving()), { kind: "unavailable" });
    assert.equal(asked, 2);
  });

  it("leaves out a volume that somebody has deleted when it is undone", async () => {
    const world = await aMove();
    for (const id of [...world.cinder.attachments.keys()]) await world.cinder.deleteAttachment(testCtx(), id);
    await world.cinder.deleteVolume(testCtx(), VOLUME);
    const change = await moveVolumes(world.ports).undo?.(world.moving());
    assert.deepEqual(change?.more?.blockDevices, []);
  });
});

describe("return-volumes", () => {
  const LOST = "a0000000-0000-4000-8000-00000000000f";
  const movedBoth = (world: World): Ports => {
    const steps = [finished(movedVolumes, { volumeIds: [VOLUME, LOST] })];
    const operation = StoredOperation.fromPartial({ steps });
    return {
      ...world.ports,
      children: { ...world.ports.children, getStoredOperation: async () => ({ operation }) },
    };
  };

  it("connects the old host, and takes out of its guest what the server has lost since", async () => {
    const world = await aMove({ status: "finished" });
    doneOf(await returnVolumes(movedBoth(world)).run(world.ending()));
    assert.deepEqual(attached(world), [[SERVER, "attached", FROM]]);
    assert.deepEqual(
      world.sent.map(({ host, command }) => [host, command]),
      [
        [FROM, "detach-volume"],
        [FROM, "describe-connector"],
        [FROM, "attach-volume"],
      ],
    );
    assert.equal(DetachVolumeInput.decode(world.sent[0]?.input ?? Buffer.alloc(0)).volumeId, LOST);
  });

  it("waits for the old host", async () => {
    const world = await aMove({ status: "finished" });
    world.down.add(FROM);
    await assert.rejects(returnVolumes(world.ports).run(world.ending()), { kind: "unavailable" });
  });

  it("waits, too, for one that goes down before its guest is without what the server has lost", async () => {
    const world = await aMove({ status: "finished" });
    const before = attached(world);
    const isUp = [true, false];
    let asked = 0;
    const agents: Ports["agents"] = {
      isUp: async () => isUp.shift() ?? true,
      at: async (ctx, host) => {
        asked++;
        if (asked === 1) throw CommonErrors.UNAVAILABLE({ what: "The agent" });
        return world.ports.agents.at(ctx, host);
      },
    };
    const run = async () => returnVolumes({ ...movedBoth(world), agents }).run(world.ending());
    await assert.rejects(run(), { kind: "unavailable" });
    assert.deepEqual([attached(world), world.sent], [before, []]);
    // Again, when it is up.
    doneOf(await run());
    assert.deepEqual(attached(world), [[SERVER, "attached", FROM]]);
  });
});
