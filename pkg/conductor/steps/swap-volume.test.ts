import assert from "node:assert/strict";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceChange } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommandPhase, CommandResult } from "../../../gen/kilonova/compute/v1/agent_service.js";
import {
  DescribeConnectorOutput,
  ExtendVolumeInput as ExtendCommand,
  GuestOutput,
  RenameVolumeInput,
  SwapVolumeInput as SwapCommand,
} from "../../../gen/kilonova/compute/v1/commands.js";
import { ExtendVolumeInput, SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { fakeCinder } from "../../clients/cinder/testing/fake-cinder.js";
import type { Change, Step, StepCall, StepResult } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import extendKind from "../ops/extend-volume.js";
import swapKind from "../ops/swap-volume.js";
import type { Ports } from "../ports.js";
import { SERVER, aCall, finished } from "../testing/a-call.js";
import { z } from "zod";

const OLD = "a0000000-0000-4000-8000-000000000001";
const NEW = "a0000000-0000-4000-8000-000000000002";

/** A server with a volume that migrates, an agent that does as it is told, and a Block Storage service. */
async function world() {
  const cinder = fakeCinder();
  cinder.addVolume({ id: OLD, migrationStatus: "migrating" });
  cinder.addVolume({ id: NEW, sizeGib: 2 });
  const ctx = aCall().ctx;
  const attachment = await cinder.createAttachment(ctx, { volumeId: OLD, serverId: SERVER });
  await cinder.updateAttachment(ctx, attachment.id, { host: "h1" });
  await cinder.completeAttachment(ctx, attachment.id);
  const device = {
    id: "d",
    volumeId: OLD,
    attachmentId: attachment.id,
    deviceName: "/dev/vda",
    bootIndex: 0,
  };
  let stored = BlockDeviceRecord.fromPartial({ ...device, sizeMib: 1024n, connectionInfo: "old" });
  const sent: { command: string; input: Buffer; undoOf: string }[] = [];
  const failing = new Set<string>();
  const runCommand = async (
    _ctx: unknown,
    { command, input, undoOf }: { command: string; input: Uint8Array; undoOf: string },
  ) => {
    sent.push({ command, input: Buffer.from(input), undoOf });
    if (failing.has(command) && undoOf === "")
      return {
        result: CommandResult.fromPartial({
          phase: CommandPhase.COMMAND_PHASE_FAILED,
          errorReason: "VOLUME_NOT_REACHABLE",
        }),
      };
    const output = Buffer.from(
      command === "describe-connector"
        ? DescribeConnectorOutput.encode({ connector: JSON.stringify({ host: "h1" }) }).finish()
        : GuestOutput.encode({ powerState: 1 }).finish(),
    );
    return { result: CommandResult.fromPartial({ phase: CommandPhase.COMMAND_PHASE_DONE, output }) };
  };
  let phase: CommandPhase = CommandPhase.COMMAND_PHASE_UNDONE;
  const cancelCommand = async () => ({ result: CommandResult.fromPartial({ phase }) });
  const ports = {
    cinder,
    records: {
      listBlockDevices: async (_ctx: unknown, { withConnectionInfo = false }) => ({
        blockDevices: [withConnectionInfo ? stored : { ...stored, connectionInfo: "" }],
        nextPageToken: "",
      }),
    },
    agents: { at: async () => ({ runCommand, cancelCommand }), isUp: async () => true },
    agentWaitMs: 1,
  } as unknown as Ports;
  const commit = (change: Change | undefined): void => {
    for (const { device: values, updateMask } of (change?.more?.blockDevices ?? []) as BlockDeviceChange[])
      for (const path of updateMask ?? []) {
        const key = path.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
        stored = { ...stored, [key]: (values as unknown as Record<string, unknown>)[key] };
      }
  };
  return {
    cinder,
    ports,
    sent,
    failing,
    ends: (now: CommandPhase) => {
      phase = now;
    },
    commit,
    device: () => stored,
    attachments: () => [...cinder.attachments.values()].map(({ volumeId, status }) => [volumeId, status]),
  };
}

type World = Awaited<ReturnType<typeof world>>;
const anything = z.unknown();

/** Runs steps one after the other, each twice when `twice`; stops at one that fails. */
async function runAll<I>(
  w: World,
  steps: readonly Step<unknown>[],
  input: I,
  twice = false,
): Promise<{
  readonly last: StepResult;
  readonly ran: Step<unknown>[];
  readonly call: () => StepCall<unknown>;
}> {
  const records: ReturnType<typeof finished>[] = [];
  const instance = { server: { id: SERVER, hostInfo: { host: "h1" } } };
  const call = (firstStart = false): StepCall<unknown> => ({
    ...aCall({ steps: records, instance, firstStart }),
    input,
  });
  const ran: Step<unknown>[] = [];
  let last: StepResult = { kind: "retry", afterMs: 0 };
  for (const step of steps) {
    ran.push(step);
    last = await step.run(call(true));
    if (twice && last.kind === "done") last = await step.run(call());
    if (last.kind !== "done") break;
    w.commit(last.change);
    records.push(finished(outputOf(step.name, anything), last.output));
  }
  return { last, ran, call };
}

const wish = SwapVolumeInput.fromPartial({ volumeId: OLD, newVolumeId: NEW });
const deps = (ports: Ports) => ({ ports }) as unknown as Parameters<typeof swapKind>[0];

describe("server.swap-volume", () => {
  for (const twice of [false, true])
    it(`leaves the server with the new volume under the old id${twice ? ", each step run twice" : ""}`, async () => {
      const w = await world();
      const { last } = await runAll(w, swapKind(deps(w.ports)).steps, wish, twice);
      assert.equal(last.kind, "done");
      assert.deepEqual(w.attachments(), [[OLD, "attached"]]);
      const { volumeId, sizeMib, attachmentId, connectionInfo } = w.device();
      assert.deepEqual([volumeId, sizeMib], [OLD, 2048n]);
      assert.ok(w.cinder.attachments.has(attachmentId));
      assert.equal((JSON.parse(connectionInfo) as Record<string, unknown>)["volume_id"], NEW);
      assert.equal(w.cinder.volumes.get(OLD)?.migrationStatus, "success");
      const swap = w.sent.find(({ command }) => command === "swap-volume");
      const asked = SwapCommand.decode(swap?.input ?? Buffer.alloc(0));
      assert.deepEqual([asked.volumeId, asked.device?.volumeId, asked.device?.bootIndex], [OLD, NEW, 0]);
      const rename = w.sent.find(({ command }) => command === "rename-volume");
      assert.deepEqual(RenameVolumeInput.decode(rename?.input ?? Buffer.alloc(0)), {
        volumeId: NEW,
        newVolumeId: OLD,
      });
    });

  /** What is left when all is undone, twice. */
  async function undone(w: World, { ran, call }: Awaited<ReturnType<typeof runAll>>): Promise<void> {
    for (const step of ran.toReversed())
      for (let times = 0; times < 2; times++) w.commit(await step.undo?.(call()));
    assert.deepEqual(w.attachments(), [[OLD, "attached"]]);
    const { volumeId, connectionInfo } = w.device();
    assert.deepEqual([volumeId, connectionInfo], [OLD, "old"]);
    const [old, fresh] = [OLD, NEW].map((id) => w.cinder.volumes.get(id));
    assert.deepEqual([old?.status, old?.migrationStatus, fresh?.status], ["in-use", "error", "available"]);
  }

  it("takes everything back when the host cannot copy, and tells that the migration has failed", async () => {
    const w = await world();
    w.failing.add("swap-volume");
    const run = await runAll(w, swapKind(deps(w.ports)).steps, wish);
    assert.equal(run.last.kind === "fail" && run.last.error.reason, "VOLUME_NOT_REACHABLE");
    await undone(w, run);
    assert.equal(w.sent.filter(({ command }) => command === "swap-volume").length, 1);
  });

  it("has the guest go on with the old one again when it is cancelled after the copy", async () => {
    const w = await world();
    const upToSwap = swapKind(deps(w.ports)).steps.slice(0, 5);
    const run = await runAll(w, upToSwap, wish);
    assert.equal(upToSwap.at(-1)?.name, "swap");
    w.ends(CommandPhase.COMMAND_PHASE_DONE);
    await undone(w, run);
    const back = w.sent.findLast(({ command }) => command === "swap-volume");
    const asked = SwapCommand.decode(back?.input ?? Buffer.alloc(0));
    assert.deepEqual(
      [asked.volumeId, asked.device?.volumeId, asked.device?.connectionInfo],
      [NEW, OLD, "old"],
    );
  });

  it("is refused when somebody has got the new volume meanwhile", async () => {
    const w = await world();
    w.cinder.setVolume(NEW, { status: "in-use" });
    const { last } = await runAll(w, swapKind(deps(w.ports)).steps, wish);
    assert.equal(last.kind === "fail" && last.error.reason, "VOLUME_NOT_AVAILABLE");
  });
});

describe("server.extend-volume", () => {
  const grown = ExtendVolumeInput.fromPartial({ volumeId: OLD });

  it("writes down the new size, and tells the host", async () => {
    const w = await world();
    w.cinder.setVolume(OLD, { sizeGib: 3 });
    const { last } = await runAll(w, extendKind(deps(w.ports)).steps, grown, true);
    assert.equal(last.kind, "done");
    assert.equal(w.device().sizeMib, 3072n);
    const asked = ExtendCommand.decode(w.sent[0]?.input ?? Buffer.alloc(0));
    assert.deepEqual(asked, { volumeId: OLD, sizeBytes: 3n * 1024n ** 3n });
  });

  it("has nothing to do where the server does not have the volume, or nobody does", async () => {
    const w = await world();
    const { steps } = extendKind(deps(w.ports));
    const other = ExtendVolumeInput.fromPartial({ volumeId: NEW });
    assert.equal((await runAll(w, steps, other)).last.kind, "done");
    w.cinder.failing.set("getVolume", Object.assign(new Error("gone"), {}));
    await assert.rejects(runAll(w, steps, grown), /gone/);
    assert.deepEqual(w.sent, []);
  });
});
