import assert from "node:assert/strict";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceChange } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommandPhase, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import {
  AttachVolumeInput as AttachCommand,
  DescribeConnectorOutput,
  GuestOutput,
} from "../../../gen/kilonova/compute/v1/commands.js";
import { AttachVolumeInput, DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { CinderErrors } from "../../clients/cinder/errors.js";
import type { Cinder } from "../../clients/cinder/ports.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import { CommonErrors } from "../../kernel/errors.js";
import attachVolumeKind from "../../model/operations/attach-volume.js";
import type { Change, StepCall, StepResult } from "../engine/kind.js";
import type { OutputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { OPERATION, SERVER, aCall, finished } from "../testing/a-call.js";
import { attachVolume } from "./attach-volume.js";
import { beginDetaching, goingDevice } from "./begin-detaching.js";
import { chooseDevice, chosenDevice } from "./choose-device.js";
import { completeVolume } from "./complete-volume.js";
import { connectVolume } from "./connect-volume.js";
import { detachVolume } from "./detach-volume.js";
import { releaseVolume } from "./release-volume.js";
import { releaseVolumes } from "./release-volumes.js";
import { reserveVolume, reservedVolume } from "./reserve-volume.js";

const root = BlockDeviceRecord.fromPartial({ id: "root", deviceName: "/dev/vda", bootIndex: 0 });

/** A server with its block devices, an agent that does as it is told, and a Block Storage service. */
function world() {
  const cinder = fakeCinder();
  const volume = cinder.addVolume({ id: "a0000000-0000-4000-8000-000000000001" });
  const devices = new Map([[root.id, root]]);
  const sent: { command: string; input: Buffer; undoOf: string }[] = [];
  let answer: Partial<CommandResult> | undefined;
  const outputs: Readonly<Record<string, Uint8Array>> = {
    "describe-connector": DescribeConnectorOutput.encode({
      connector: JSON.stringify({ host: "h1", ip: "10.0.0.1" }),
    }).finish(),
  };
  const runCommand = async (
    _ctx: unknown,
    { command, input, undoOf }: { command: string; input: Uint8Array; undoOf: string },
  ) => {
    sent.push({ command, input: Buffer.from(input), undoOf });
    const output = Buffer.from(outputs[command] ?? GuestOutput.encode({ powerState: 1 }).finish());
    return {
      result: CommandResult.fromPartial(answer ?? { phase: CommandPhase.COMMAND_PHASE_DONE, output }),
    };
  };
  const ports = {
    cinder,
    records: {
      listBlockDevices: async (_ctx: unknown, { withConnectionInfo = false }) => ({
        blockDevices: [...devices.values()].map((one) =>
          withConnectionInfo ? one : { ...one, connectionInfo: "" },
        ),
        nextPageToken: "",
      }),
    },
    agents: { at: async () => ({ runCommand }), isUp: async () => true },
    agentWaitMs: 1,
  } as unknown as Ports;
  /** Stores what a step has changed, as its commit would. */
  const commit = (change: Change | undefined): void => {
    for (const one of (change?.more?.blockDevices ?? []) as BlockDeviceChange[]) {
      const id = one.device?.id ?? "";
      if (one.remove) devices.delete(id);
      else {
        const mask = one.updateMask ?? [];
        const before = devices.get(id);
        devices.set(
          id,
          mask.length === 0 || before === undefined
            ? BlockDeviceRecord.fromPartial(one.device ?? {})
            : {
                ...before,
                ...(mask.includes("connection_info") && { connectionInfo: one.device?.connectionInfo ?? "" }),
                ...(mask.includes("attachment_id") && { attachmentId: one.device?.attachmentId ?? "" }),
              },
        );
      }
    }
  };
  const call = <I>(
    input: I,
    outputsOf: [OutputOf<never>, object][] = [],
    firstStart = false,
  ): StepCall<I> => {
    const steps = outputsOf.map(([of, output]) => finished(of as OutputOf<object>, output));
    const instance = { server: { id: SERVER, hostInfo: { host: "h1" } } };
    return { ...aCall({ steps, instance, firstStart }), input };
  };
  const state = () => ({
    status: cinder.volumes.get(volume.id)?.status,
    attachments: cinder.attachments.size,
    devices: [...devices.keys()],
  });
  return {
    cinder,
    volume,
    devices,
    sent,
    ports,
    commit,
    call,
    state,
    answers: (result: Partial<CommandResult>) => {
      answer = result;
    },
  };
}

const wish = (more: Partial<AttachVolumeInput> = {}): AttachVolumeInput =>
  AttachVolumeInput.fromPartial({
    volumeId: "a0000000-0000-4000-8000-000000000001",
    sizeMib: 1024n,
    ...more,
  });

const failure = (result: StepResult): string => (result.kind === "fail" ? result.error.reason : result.kind);
function doneOf(result: StepResult): Extract<StepResult, { kind: "done" }> {
  assert.ok(result.kind === "done", JSON.stringify(result.kind === "fail" ? result.error : result.kind));
  return result;
}

/** What the first step has left, and its record. */
async function chosenWorld() {
  const made = world();
  const result = doneOf(await chooseDevice(made.ports, -1).run(made.call(wish())));
  made.commit(result.change);
  const outputs: [OutputOf<never>, object][] = [
    [chosenDevice as unknown as OutputOf<never>, result.output as object],
  ];
  return { ...made, outputs };
}

describe("choose-device", () => {
  it("makes a record under the operation's id, with the first free device", async () => {
    const { ports, call, commit, devices, state } = world();
    const input = wish({ tag: "t", deleteOnTermination: true });
    for (let n = 0; n < 2; n++) commit(doneOf(await chooseDevice(ports, -1).run(call(input))).change);
    const made = devices.get(OPERATION);
    assert.deepEqual(
      [made?.deviceName, made?.tag, made?.deleteOnTermination, made?.sizeMib],
      ["/dev/vdb", "t", true, 1024n],
    );
    assert.deepEqual(state(), { status: "available", attachments: 0, devices: ["root", OPERATION] });
  });

  it("refuses a device that is taken, one disk too many, and a volume that the server has", async () => {
    const { ports, call, devices, volume } = world();
    const run = async (input: AttachVolumeInput, maximum = -1): Promise<string> =>
      failure(await chooseDevice(ports, maximum).run(call(input)));
    assert.equal(await run(wish({ device: "/dev/vda" })), "DEVICE_IN_USE");
    assert.equal(await run(wish(), 1), "TOO_MANY_VOLUMES");
    devices.set("d", BlockDeviceRecord.fromPartial({ id: "d", volumeId: volume.id }));
    assert.equal(await run(wish()), "VOLUME_ALREADY_ATTACHED");
  });

  it("is undone, again and again, and before it ran", async () => {
    const { ports, call, commit, state } = world();
    const step = chooseDevice(ports, -1);
    assert.equal(await step.undo?.(call(wish())), undefined);
    commit(doneOf(await step.run(call(wish()))).change);
    for (let n = 0; n < 2; n++) commit(await step.undo?.(call(wish())));
    assert.deepEqual(state().devices, ["root"]);
  });
});

describe("reserve-volume", () => {
  it("keeps which attachment it is", async () => {
    const { ports, call, commit, devices, state, cinder, outputs } = await chosenWorld();
    commit(doneOf(await reserveVolume(ports).run(call(wish(), outputs))).change);
    assert.ok(cinder.attachments.has(devices.get(OPERATION)?.attachmentId ?? ""));
    assert.equal(state().status, "reserved");
  });

  it("does nothing twice: what a start that was cut short has reserved is let go of", async () => {
    const { ports, call, state, cinder, volume, outputs } = await chosenWorld();
    await cinder.createAttachment(call(wish()).ctx, { volumeId: volume.id, serverId: SERVER });
    doneOf(await reserveVolume(ports).run(call(wish(), outputs)));
    assert.deepEqual([state().status, state().attachments], ["reserved", 1]);
  });

  it("does not look for it when nobody can have started before", async () => {
    const { ports, call, outputs } = await chosenWorld();
    const silent: Cinder = { ...ports.cinder, listAttachments: () => assert.fail("looked") };
    doneOf(await reserveVolume({ ...ports, cinder: silent }).run(call(wish(), outputs, true)));
  });

  it("refuses a volume that is taken, in the service's words", async () => {
    const { ports, call, cinder, volume, outputs } = await chosenWorld();
    cinder.setVolume(volume.id, { status: "error" });
    const refused = await reserveVolume(ports).run(call(wish(), outputs));
    assert.ok(refused.kind === "fail");
    assert.equal(refused.error.reason, "VOLUME_NOT_AVAILABLE");
    assert.match(refused.error.message, /Invalid input received: Invalid volume: Volume .* status must be/);
  });

  it("is undone, again and again, and before it ran", async () => {
    const { ports, call, state, outputs } = await chosenWorld();
    const step = reserveVolume(ports);
    assert.equal(await step.undo?.(call(wish(), outputs)), undefined);
    doneOf(await step.run(call(wish(), outputs)));
    for (let n = 0; n < 2; n++) await step.undo?.(call(wish(), outputs));
    assert.deepEqual([state().status, state().attachments], ["available", 0]);
  });

  it("leaves alone, undone, what the server had before", async () => {
    const { ports, call, devices, cinder, volume, state } = world();
    const { id } = await cinder.createAttachment(call(wish()).ctx, { volumeId: volume.id, serverId: SERVER });
    devices.set("d", BlockDeviceRecord.fromPartial({ id: "d", volumeId: volume.id, attachmentId: id }));
    await reserveVolume(ports).undo?.(call(wish()));
    assert.equal(state().attachments, 1);
  });
});

/** A world in which the volume is reserved. */
async function reservedWorld() {
  const made = await chosenWorld();
  const result = doneOf(await reserveVolume(made.ports).run(made.call(wish(), made.outputs)));
  made.commit(result.change);
  const outputs: [OutputOf<never>, object][] = [
    ...made.outputs,
    [reservedVolume as unknown as OutputOf<never>, result.output as object],
  ];
  return { ...made, outputs };
}

describe("connect-volume", () => {
  it("keeps how the volume is reached by the host that says so, again and again", async () => {
    const { ports, call, commit, devices, cinder, outputs } = await reservedWorld();
    for (let n = 0; n < 2; n++) commit(doneOf(await connectVolume(ports).run(call(wish(), outputs))).change);
    const { attachmentId = "", connectionInfo = "" } = devices.get(OPERATION) ?? {};
    assert.deepEqual(cinder.connectors.get(attachmentId), {
      host: "h1",
      ip: "10.0.0.1",
      mountpoint: "/dev/vdb",
    });
    const info = JSON.parse(connectionInfo) as Record<string, unknown>;
    assert.deepEqual(
      [info["driver_volume_type"], info["attachment_id"], info["volume_id"]],
      ["nbd", attachmentId, wish().volumeId],
    );
  });

  it("fails with what the host says, and for a volume that the host would have to decrypt", async () => {
    const { ports, call, cinder, volume, outputs, answers } = await reservedWorld();
    cinder.setVolume(volume.id, { encrypted: true });
    assert.equal(failure(await connectVolume(ports).run(call(wish(), outputs))), "VOLUME_ENCRYPTED");
    answers({ phase: CommandPhase.COMMAND_PHASE_FAILED, errorReason: "NO", errorMessage: "no" });
    assert.equal(failure(await connectVolume(ports).run(call(wish(), outputs))), "NO");
    answers({ phase: CommandPhase.COMMAND_PHASE_STARTED });
    assert.equal((await connectVolume(ports).run(call(wish(), outputs))).kind, "park");
  });
});

describe("attaching to the guest", () => {
  it("tells the host how the volume is reached; taken back, only which it is", async () => {
    const { ports, call, commit, sent, outputs } = await reservedWorld();
    commit(doneOf(await connectVolume(ports).run(call(wish(), outputs))).change);
    doneOf(await attachVolume(ports).run(call(wish(), outputs)));
    const device = AttachCommand.decode(sent.at(-1)?.input ?? Buffer.alloc(0)).device;
    assert.deepEqual([device?.volumeId, device?.deviceName], [wish().volumeId, "/dev/vdb"]);
    assert.match(device?.connectionInfo ?? "", /nbd/);
    await attachVolume(ports).undo?.(call(wish(), outputs));
    const back = sent.at(-1);
    assert.deepEqual([back?.command, back?.undoOf !== ""], ["detach-volume", true]);
    assert.ok(back?.input.toString().includes(wish().volumeId));
  });

  it("completes the attachment, again and again", async () => {
    const { ports, call, commit, state, outputs } = await reservedWorld();
    commit(doneOf(await connectVolume(ports).run(call(wish(), outputs))).change);
    for (let n = 0; n < 2; n++) doneOf(await completeVolume(ports).run(call(wish(), outputs)));
    assert.equal(state().status, "in-use");
  });
});

/** A world in which the server has the volume. */
async function attachedWorld() {
  const made = await reservedWorld();
  made.commit(doneOf(await connectVolume(made.ports).run(made.call(wish(), made.outputs))).change);
  doneOf(await completeVolume(made.ports).run(made.call(wish(), made.outputs)));
  return made;
}
const bye = DetachVolumeInput.fromPartial({ volumeId: "a0000000-0000-4000-8000-000000000001" });

/** A call of an operation whose first step has failed for a reason. */
function failedBegin<I>(call: StepCall<I>, errorReason: string): StepCall<I> {
  const nothing = { deviceId: "", attachmentId: "" };
  call.operation.steps.push({ ...finished(goingDevice, nothing, "failed"), errorReason });
  return call;
}

describe("begin-detaching", () => {
  it("begins, again after a start that was cut short, and is rolled back as often as you like", async () => {
    const { ports, call, state } = await attachedWorld();
    const step = beginDetaching(ports);
    for (let n = 0; n < 2; n++) {
      const { output } = doneOf(await step.run(call(bye)));
      assert.equal((output as { deviceId: string }).deviceId, OPERATION);
      assert.equal(state().status, "detaching");
    }
    for (let n = 0; n < 2; n++) await step.undo?.(call(bye));
    assert.equal(state().status, "in-use");
  });

  it("does not take another's detaching for its own, nor roll it back", async () => {
    const { ports, call, cinder, state } = await attachedWorld();
    await cinder.beginDetaching(call(bye).ctx, bye.volumeId);
    const step = beginDetaching(ports);
    assert.equal(failure(await step.run(call(bye, [], true))), "VOLUME_NOT_DETACHABLE");
    await step.undo?.(failedBegin(call(bye), "VOLUME_NOT_DETACHABLE"));
    assert.equal(state().status, "detaching");
  });

  for (const reason of ["INTERNAL", "STEP_DEADLINE", "OPERATION_CANCELLED"])
    it(`is rolled back when it may have begun although it failed: ${reason}`, async () => {
      const { ports, call, cinder, state } = await attachedWorld();
      await cinder.beginDetaching(call(bye).ctx, bye.volumeId);
      await beginDetaching(ports).undo?.(failedBegin(call(bye), reason));
      assert.equal(state().status, "in-use");
    });

  it("refuses the root disk, and what the server does not have", async () => {
    const { ports, call, devices } = await attachedWorld();
    const device = devices.get(OPERATION);
    if (device !== undefined) devices.set(OPERATION, { ...device, bootIndex: 0 });
    assert.equal(failure(await beginDetaching(ports).run(call(bye))), "ROOT_VOLUME");
    devices.delete(OPERATION);
    assert.equal(failure(await beginDetaching(ports).run(call(bye))), "VOLUME_ATTACHMENT_NOT_FOUND");
  });
});

describe("detaching from the guest", () => {
  it("gives it back as the record says when it is taken back", async () => {
    const { ports, call, sent } = await attachedWorld();
    doneOf(await detachVolume(ports).run(call(bye)));
    await detachVolume(ports).undo?.(call(bye));
    assert.deepEqual(
      sent.slice(-2).map(({ command }) => command),
      ["detach-volume", "attach-volume"],
    );
    assert.match(
      AttachCommand.decode(sent.at(-1)?.input ?? Buffer.alloc(0)).device?.connectionInfo ?? "",
      /nbd/,
    );
  });

  it("ends the attachment and the record, again and again", async () => {
    const { ports, call, commit, devices, state } = await attachedWorld();
    const attachmentId = devices.get(OPERATION)?.attachmentId ?? "";
    const going: [OutputOf<never>, object][] = [
      [goingDevice as unknown as OutputOf<never>, { deviceId: OPERATION, attachmentId }],
    ];
    for (let n = 0; n < 2; n++) commit(doneOf(await releaseVolume(ports).run(call(bye, going))).change);
    assert.deepEqual(state(), { status: "available", attachments: 0, devices: ["root"] });
  });

  it("ends what a reservation that was asked for twice has left beside it", async () => {
    const { ports, call, commit, cinder, devices, volume, state } = await attachedWorld();
    await cinder.createAttachment(call(bye).ctx, { volumeId: volume.id, serverId: SERVER });
    const attachmentId = devices.get(OPERATION)?.attachmentId ?? "";
    const going: [OutputOf<never>, object][] = [
      [goingDevice as unknown as OutputOf<never>, { deviceId: OPERATION, attachmentId }],
    ];
    commit(doneOf(await releaseVolume(ports).run(call(bye, going))).change);
    assert.deepEqual(state(), { status: "available", attachments: 0, devices: ["root"] });
  });
});

describe("the volumes of a server that goes", () => {
  it("are let go of, and those that go with it are deleted", async () => {
    const { ports, call, cinder, devices, volume } = await attachedWorld();
    const kept = cinder.addVolume();
    await cinder.createAttachment(call(bye).ctx, { volumeId: kept.id, serverId: SERVER });
    devices.set("kept", BlockDeviceRecord.fromPartial({ id: "kept", volumeId: kept.id }));
    const device = devices.get(OPERATION);
    if (device !== undefined) devices.set(OPERATION, { ...device, deleteOnTermination: true });
    for (let n = 0; n < 2; n++) await releaseVolumes(call(undefined), ports);
    assert.equal(cinder.attachments.size, 0);
    assert.deepEqual(
      [cinder.volumes.has(volume.id), cinder.volumes.get(kept.id)?.status],
      [false, "available"],
    );
  });

  it("may stay behind when the service does not delete them, but not when it is away", async () => {
    const { ports, call, cinder, devices, volume } = await attachedWorld();
    const device = devices.get(OPERATION);
    if (device !== undefined) devices.set(OPERATION, { ...device, deleteOnTermination: true });
    cinder.down = true;
    await assert.rejects(releaseVolumes(call(undefined), ports), { kind: "unavailable" });
    cinder.down = false;
    cinder.failing.set("deleteVolume", CinderErrors.VOLUME_INVALID({ problem: "It has snapshots." }));
    await releaseVolumes(call(undefined), ports);
    assert.ok(cinder.volumes.has(volume.id));
    assert.equal(cinder.attachments.size, 0);
  });

  for (const [what, refusal] of [
    ["fails", CommonErrors.INTERNAL({})],
    ["does not allow it", CinderErrors.BLOCK_STORAGE_FORBIDDEN({})],
    ["says that something is in the way", CinderErrors.VOLUME_CONFLICT({ problem: "Busy." })],
  ] as const)
    it(`stay behind when the service ${what}, as with Nova`, async () => {
      const { ports, call, cinder, devices, volume } = await attachedWorld();
      const device = devices.get(OPERATION);
      if (device !== undefined) devices.set(OPERATION, { ...device, deleteOnTermination: true });
      cinder.failing.set("deleteVolume", refusal);
      await releaseVolumes(call(undefined), ports);
      assert.deepEqual([cinder.attachments.size, cinder.volumes.get(volume.id)?.status], [0, "available"]);
    });

  it("do not keep it from going when a stranger's storage never ends his attachment", async () => {
    const { ports, call, cinder, volume } = await attachedWorld();
    const strangers = cinder.addVolume();
    const { ctx } = call(undefined);
    const { id } = await cinder.createAttachment(ctx, { volumeId: strangers.id, serverId: SERVER });
    const broken = {
      ...cinder,
      deleteAttachment: async (...asked: Parameters<Cinder["deleteAttachment"]>) => {
        if (asked[1] === id) throw CommonErrors.INTERNAL({});
        await cinder.deleteAttachment(...asked);
      },
    };
    await releaseVolumes(call(undefined), { ...ports, cinder: broken });
    assert.deepEqual([...cinder.attachments.keys()], [id]);
    assert.equal(cinder.volumes.get(volume.id)?.status, "available");
  });

  it("do not keep it from going while a stranger names it in attachments without end", async () => {
    const { ports, call, cinder, volume } = await attachedWorld();
    const strangers = cinder.addVolume({ multiattach: true });
    const list = cinder.listAttachments.bind(cinder);
    let listed = 0;
    const flooded = {
      ...cinder,
      listAttachments: async (...asked: Parameters<typeof list>) => {
        listed++;
        for (let n = 0; n < 100; n++)
          cinder.addAttachment({
            id: `${listed}.${n}`,
            volumeId: strangers.id,
            serverId: SERVER,
            status: "reserved",
            mode: "",
            connectionInfo: undefined,
          });
        return list(...asked);
      },
    };
    await releaseVolumes(call(undefined), { ...ports, cinder: flooded });
    const left = [...cinder.attachments.values()];
    assert.ok(left.every(({ volumeId }) => volumeId !== volume.id));
    assert.deepEqual([listed, left.length], [4, 4 * 100 - 4 * 64]);
  });

  it("are nobody's affair when it has had none", async () => {
    const { ports, call, cinder } = world();
    cinder.down = true;
    await releaseVolumes(call(undefined), ports);
  });

  it("are those, too, that an operation was attaching which is given up", async () => {
    const { ports, call, cinder, volume, state } = world();
    await cinder.createAttachment(call(bye).ctx, { volumeId: volume.id, serverId: SERVER });
    const giving = call(undefined);
    giving.operation.alsoPreempted.push({
      name: `operations/${SERVER}/${OPERATION}`,
      kind: attachVolumeKind.kind,
      input: Buffer.alloc(0),
      steps: [],
    } as never);
    await releaseVolumes(giving, ports);
    assert.deepEqual([state().status, state().attachments], ["available", 0]);
  });
});
