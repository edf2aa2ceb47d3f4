import assert from "node:assert/strict";
import { VolumeAttachmentsServiceDefinition } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { toStored } from "../../cells/operations/domain/operation-rows.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import type { Actor } from "../../kernel/index.js";
import { administrator, anApi, as, member, stranger } from "../testing/an-api.js";

const SERVER = "00000000-0000-4000-8000-000000000001";
const HAD = "22222222-2222-4222-8222-222222222221";
const NEW = "22222222-2222-4222-8222-222222222223";
const service: Actor = { ...administrator, roles: ["admin", "service"] };

/** A server of p1 with a volume that migrates, and the volume to which it does. */
function world({ old = {}, fresh = {} }: { old?: Partial<VolumeInfo>; fresh?: Partial<VolumeInfo> } = {}) {
  const api = anApi({ config: { hostListTtlMs: 0 } });
  api.cells.setNodes("cell1", [
    ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["migrate-volume"] }),
  ]);
  const server = {
    id: SERVER,
    vmState: VmState.VM_STATE_ACTIVE,
    hostInfo: { host: "h1" },
    launchedAt: { seconds: 1n, nanos: 0 },
  };
  api.cells.put("cell1", server as never);
  api.cells.putDevices("cell1", SERVER, [
    { id: "d1", volumeId: HAD, deviceName: "/dev/vdb", tag: "data", attachmentId: "at1" },
  ]);
  const use = { attachmentId: "at1", serverId: SERVER, device: "", hostName: "h1" };
  const had = { id: HAD, projectId: "p1", status: "in-use", attachments: [use], sizeGib: 2 };
  api.cinder.addVolume({ ...had, migrationStatus: "migrating", ...old });
  api.cinder.addVolume({ id: NEW, projectId: "p1", sizeGib: 2, ...fresh });
  const client = api.channel.client(VolumeAttachmentsServiceDefinition);
  const ask = { serverId: SERVER, volumeId: HAD };
  return {
    api,
    update: (more: object, actor: Actor = member) =>
      client.updateVolumeAttachment(as(actor), { ...ask, ...more }),
    swap: (more: object = {}, actor: Actor = service) =>
      client.updateVolumeAttachment(as(actor), { ...ask, newVolumeId: NEW, ...more }),
    flag: async () =>
      (await client.getVolumeAttachment(as(member), ask)).volumeAttachment?.deleteOnTermination,
    begun: () => [...api.cells.database("cell1").operations.values()].map((row) => toStored(row)),
  };
}

describe("a change of a volume's attachment", () => {
  it("has the volume go with its server, or not, at once and without an operation", async () => {
    const w = world();
    for (const deleteOnTermination of [true, true, false]) {
      const { operation, volumeAttachment } = await w.update({ deleteOnTermination });
      assert.equal(operation, undefined);
      assert.equal(volumeAttachment?.deleteOnTermination, deleteOnTermination);
      assert.equal(await w.flag(), deleteOnTermination);
    }
    assert.deepEqual(w.begun(), []);
  });

  it("is told with the server", async () => {
    const w = world();
    await w.update({ deleteOnTermination: true });
    const record = w.api.cells.record("cell1", SERVER);
    assert.deepEqual(record?.server?.volumes, [{ id: HAD, deleteOnTermination: true }]);
  });

  it("may say again what does not change, and nothing else of it", async () => {
    const w = world();
    const same = { device: "/dev/vdb", tag: "data", id: HAD.toUpperCase(), serverId: SERVER };
    await w.update({ unchanged: same, newVolumeId: HAD, deleteOnTermination: true });
    assert.equal(await w.flag(), true);
    for (const [name, value] of Object.entries({ device: "/dev/vdc", tag: "", id: NEW, serverId: NEW }))
      await assert.rejects(w.update({ unchanged: { [name]: value }, deleteOnTermination: false }), {
        reason: "NOT_CHANGEABLE",
        kind: "invalid",
        message: `The ${name} property is not mutable`,
      });
    assert.equal(await w.flag(), true);
  });

  it("is of what the server has, and of nobody else's server", async () => {
    const w = world();
    await assert.rejects(w.update({ volumeId: NEW, deleteOnTermination: true }), {
      reason: "VOLUME_ATTACHMENT_NOT_FOUND",
    });
    await assert.rejects(w.update({ deleteOnTermination: true }, stranger), { reason: "SERVER_NOT_FOUND" });
  });
});

describe("another volume in the place of one", () => {
  it("is begun for the Block Storage service, while the volume migrates", async () => {
    const w = world();
    const { operation } = await w.swap({ deleteOnTermination: true });
    assert.deepEqual(operation?.metadata?.asked, {
      $case: "swapVolume",
      value: { volumeId: HAD, newVolumeId: NEW },
    });
    const [one] = w.begun();
    assert.deepEqual([one?.kind, one?.action], ["server.swap-volume", "swap_volume"]);
    assert.deepEqual(SwapVolumeInput.decode(one?.input ?? Buffer.alloc(0)), {
      volumeId: HAD,
      newVolumeId: NEW,
    });
    // The flag is changed at once, whatever becomes of the swap.
    assert.equal(await w.flag(), true);
  });

  it("is the same when it is asked for again with its token, also once it is over", async () => {
    const w = world();
    const first = await w.swap({ clientToken: "t" });
    w.api.cinder.setVolume(HAD, { migrationStatus: "success" });
    assert.equal((await w.swap({ clientToken: "t" })).operation?.name, first.operation?.name);
    assert.equal(w.begun().length, 1);
  });

  it("is not for a server's user, and not for a volume that does not migrate", async () => {
    await assert.rejects(world().swap({}, member), { reason: "FORBIDDEN" });
    const w = world({ old: { migrationStatus: undefined } });
    await assert.rejects(w.swap(), { reason: "VOLUME_NOT_MIGRATING", kind: "refused" });
    assert.deepEqual(w.begun(), []);
  });

  const use = { attachmentId: "x", serverId: NEW, device: "", hostName: "h2" };
  const refusals: readonly [what: string, init: Parameters<typeof world>[0], reason: string][] = [
    ["an old one of another server", { old: { attachments: [use] } }, "VOLUME_NOT_SWAPPABLE"],
    ["a new one that somebody has", { fresh: { attachments: [use] } }, "VOLUME_NOT_SWAPPABLE"],
    ["a new one that is smaller", { fresh: { sizeGib: 1 } }, "VOLUME_TOO_SMALL"],
    ["an encrypted one", { fresh: { encrypted: true } }, "VOLUME_ENCRYPTED"],
    [
      "an old one of several servers",
      { old: { multiattach: true, attachments: [use, { ...use, serverId: SERVER }] } },
      "MULTIATTACH_SWAP",
    ],
  ];
  for (const [what, init, reason] of refusals)
    it(`is refused: ${what}`, async () => {
      const w = world(init);
      await assert.rejects(w.swap(), { reason, kind: "invalid" });
      assert.deepEqual(w.begun(), []);
    });

  it("is refused: one that there is not, by the field that names it; the same, before 2.85", async () => {
    const w = world();
    await assert.rejects(w.swap({ newVolumeId: "22222222-2222-4222-8222-22222222222f" }), {
      reason: "INVALID_REQUEST",
      kind: "invalid",
      message: "Volume 22222222-2222-4222-8222-22222222222f could not be found.",
    });
    await assert.rejects(w.swap({ newVolumeId: HAD, onlySwap: true }), { reason: "VOLUME_NOT_SWAPPABLE" });
    assert.deepEqual(w.begun(), []);
  });

  it("is refused: none, when it shall be nothing but a swap", async () => {
    await assert.rejects(world().update({ onlySwap: true }), {
      reason: "INVALID_REQUEST",
      violations: [
        { field: "new_volume_id", description: "Invalid input for field new_volume_id: is required" },
      ],
    });
  });

  it("is looked at anew with another token, whatever was begun before", async () => {
    const w = world();
    await w.swap({ clientToken: "t" });
    w.api.cinder.setVolume(HAD, { migrationStatus: undefined });
    await assert.rejects(w.swap({ clientToken: "another" }), { reason: "VOLUME_NOT_MIGRATING" });
    await w.update({ deleteOnTermination: true });
    await w.swap({ clientToken: "t" });
    assert.equal(await w.flag(), true);
    assert.equal(w.begun().length, 1);
  });
});
