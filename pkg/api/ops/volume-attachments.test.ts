import assert from "node:assert/strict";
import { VolumeAttachmentsServiceDefinition } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { AttachVolumeInput, DetachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { toStored } from "../../cells/operations/domain/operation-rows.js";
import { toDuration } from "../../model/wire-time.js";
import { administrator, as, member, stranger } from "../testing/an-api.js";
import { anInterruptedApi } from "../testing/interrupted-api.js";

const SERVER = "00000000-0000-4000-8000-000000000001";
const OTHER = "00000000-0000-4000-8000-000000000002";
const HAD = "22222222-2222-4222-8222-222222222221";
const ROOT = "22222222-2222-4222-8222-222222222222";
const FREE = "22222222-2222-4222-8222-222222222223";
const THEIRS = "22222222-2222-4222-8222-222222222224";

/**
 * A server of p1 with a root volume and another, a free volume of p1 and one of p2, on a host that can
 * attach.
 */
function world(init: Partial<Server> = {}) {
  const api = anInterruptedApi({ config: { hostListTtlMs: 0 } });
  api.cells.setNodes("cell1", [
    ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities: ["attach-volume"] }),
  ]);
  const server = {
    id: SERVER,
    vmState: VmState.VM_STATE_ACTIVE,
    hostInfo: { host: "h1" },
    launchedAt: { seconds: 1n, nanos: 0 },
    ...init,
  };
  api.cells.put("cell1", server as never);
  const at = (seconds: bigint) => ({ seconds, nanos: 0 });
  api.cells.putDevices("cell1", SERVER, [
    { id: "d1", volumeId: HAD, deviceName: "/dev/vdb", tag: "data", attachmentId: "at1", createdAt: at(5n) },
    {
      id: "d2",
      volumeId: ROOT,
      deviceName: "/dev/vda",
      bootIndex: 0,
      attachmentId: "at2",
      createdAt: at(9n),
    },
    { id: "d3", deviceName: "/dev/vdd", createdAt: at(1n) },
  ]);
  const use = { attachmentId: "at", serverId: SERVER, device: "", hostName: "h1" };
  api.cinder.addVolume({ id: HAD, projectId: "p1", status: "in-use", attachments: [use] });
  api.cinder.addVolume({ id: ROOT, projectId: "p1", status: "in-use", attachments: [use] });
  api.cinder.addVolume({ id: FREE, projectId: "p1", sizeGib: 3 });
  api.cinder.addVolume({ id: THEIRS, projectId: "p2" });
  const volumes = api.channel.client(VolumeAttachmentsServiceDefinition);
  const begun = () =>
    [...api.cells.database("cell1").operations.values()]
      .map((row) => toStored(row))
      .filter(({ kind }) => kind.endsWith("volume"));
  return { api, volumes, begun };
}

describe("volumes of a server", () => {
  it("are its block devices that are volumes, the root volume first", async () => {
    const { volumes } = world();
    const { volumeAttachments } = await volumes.listVolumeAttachments(as(member), { serverId: SERVER });
    assert.deepEqual(
      volumeAttachments.map(({ volumeId, device }) => [volumeId, device]),
      [
        [ROOT, "/dev/vda"],
        [HAD, "/dev/vdb"],
      ],
    );
    const { volumeAttachment } = await volumes.getVolumeAttachment(as(member), {
      serverId: SERVER,
      volumeId: HAD.toUpperCase(),
    });
    assert.deepEqual(volumeAttachment, {
      volumeId: HAD,
      serverId: SERVER,
      device: "/dev/vdb",
      tag: "data",
      deleteOnTermination: false,
      attachmentId: "at1",
      blockDeviceId: "d1",
    });
  });

  it("are listed in pages", async () => {
    const { volumes } = world();
    const first = await volumes.listVolumeAttachments(as(member), { serverId: SERVER, pageSize: 1 });
    const second = await volumes.listVolumeAttachments(as(member), {
      serverId: SERVER,
      pageSize: 1,
      pageToken: first.nextPageToken,
    });
    assert.deepEqual(
      [first, second].map(({ volumeAttachments: [one] }) => one?.volumeId),
      [ROOT, HAD],
    );
    assert.equal(second.nextPageToken, "");
    await assert.rejects(volumes.listVolumeAttachments(as(member), { serverId: SERVER, pageToken: "x" }), {
      reason: "BAD_PAGE_TOKEN",
    });
  });

  it("are not found: others' servers, and what the server does not have", async () => {
    const { volumes } = world();
    await assert.rejects(volumes.listVolumeAttachments(as(stranger), { serverId: SERVER }), {
      reason: "SERVER_NOT_FOUND",
    });
    for (const volumeId of [FREE, "x"])
      await assert.rejects(volumes.getVolumeAttachment(as(member), { serverId: SERVER, volumeId }), {
        reason: "VOLUME_ATTACHMENT_NOT_FOUND",
        message: `Instance ${SERVER} is not attached to volume ${volumeId}`,
      });
  });
});

describe("attaching a volume", () => {
  it("begins an operation with what was asked for", async () => {
    const { volumes, begun } = world();
    const asked = { device: "/dev/vdx", tag: "t", deleteOnTermination: true };
    const { operation, volumeAttachment } = await volumes.attachVolume(as(member), {
      serverId: SERVER,
      volumeId: FREE,
      ...asked,
    });
    assert.deepEqual(operation?.metadata?.asked, {
      $case: "attachVolume",
      value: { volumeId: FREE, ...asked },
    });
    assert.equal(volumeAttachment?.device, "/dev/vdx");
    const [input] = begun().map((one) => AttachVolumeInput.decode(one.input));
    assert.deepEqual([input?.volumeId, input?.sizeMib, input?.device], [FREE, 3072n, "/dev/vdx"]);
  });

  it("is the same operation when it is repeated, also once the server has the volume", async () => {
    const { api, volumes } = world();
    const ask = () =>
      volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE, clientToken: "t" });
    const first = await ask();
    api.cells.putDevices("cell1", SERVER, [{ id: "d9", volumeId: FREE, attachmentId: "at9" }]);
    assert.equal((await ask()).operation?.name, first.operation?.name);
    await assert.rejects(volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE }), {
      reason: "VOLUME_ALREADY_ATTACHED",
      message: `Invalid volume: volume ${FREE} already attached`,
    });
  });

  it("waits for the record when it is asked to, and no longer than that", async () => {
    const { api, volumes, begun } = world();
    const wait = toDuration(5_000);
    const answer = volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE, wait });
    while (begun().length === 0) await new Promise((resolve) => setImmediate(resolve));
    const id = begun()[0]?.name.split("/").at(-1) ?? "";
    const chosen = { id, volumeId: FREE, deviceName: "/dev/vdq" };
    api.cells.putDevices("cell1", SERVER, [chosen]);
    let answered = false;
    void answer.then(() => (answered = true));
    await new Promise((resolve) => setTimeout(resolve, 250));
    assert.equal(answered, false, "a device is chosen, and the volume not reserved yet");
    api.cells.putDevices("cell1", SERVER, [{ ...chosen, attachmentId: "a" }]);
    assert.equal((await answer).volumeAttachment?.device, "/dev/vdq");
    const late = await volumes.attachVolume(as(administrator), {
      serverId: SERVER,
      volumeId: THEIRS,
      wait: toDuration(10),
    });
    assert.deepEqual([late.operation?.done, late.volumeAttachment?.device], [false, undefined]);
  });

  const refused: readonly [
    what: string,
    request: object,
    reason: string,
    message: RegExp,
    before?: (w: ReturnType<typeof world>) => void,
  ][] = [
    ["another project's volume", { volumeId: THEIRS }, "VOLUME_NOT_FOUND", /Volume .* could not be found/],
    ["a volume that is not there", { volumeId: OTHER }, "VOLUME_NOT_FOUND", /could not be found/],
    ["no UUID", { volumeId: "x" }, "INVALID_REQUEST", /volume_id/],
    ["no device", { device: "vdb" }, "INVALID_REQUEST", /device/],
    ["no tag", { tag: "a/b" }, "INVALID_REQUEST", /tag/],
    [
      "a volume of another server",
      {},
      "VOLUME_ALREADY_ATTACHED",
      /^Invalid volume: volume .* is already attached to instances: other$/,
      ({ api }) =>
        api.cinder.setVolume(FREE, {
          attachments: [{ attachmentId: "a", serverId: "other", device: "", hostName: "" }],
        }),
    ],
    [
      "an encrypted volume",
      {},
      "VOLUME_ENCRYPTED",
      /^Volume encryption is not supported for luks volume/,
      ({ api }) => api.cinder.setVolume(FREE, { encrypted: true, volumeType: "luks" }),
    ],
    [
      "a volume for many, before that was known",
      { refuseMultiattach: true },
      "MULTIATTACH_NOT_SUPPORTED",
      /^Multiattach volumes are only supported starting with compute API version 2.60.$/,
      ({ api }) => api.cinder.setVolume(FREE, { multiattach: true }),
    ],
    [
      "a host that cannot",
      {},
      "CAPABILITY_MISSING",
      /./,
      ({ api }) => api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1" })]),
    ],
    ["a service that is away", {}, "BLOCK_STORAGE_UNAVAILABLE", /./, ({ api }) => (api.cinder.down = true)],
  ];
  for (const [what, request, reason, message, before] of refused)
    it(`refuses ${what}`, async () => {
      const made = world();
      before?.(made);
      const asked = { serverId: SERVER, volumeId: FREE, ...request };
      await assert.rejects(made.volumes.attachVolume(as(member), asked), (error: Error) => {
        assert.equal((error as Error & { reason: string }).reason, reason);
        assert.match(error.message, message);
        return true;
      });
      assert.equal(made.begun().length, 0);
    });

  it("takes a volume for many servers that one has already", async () => {
    const { api, volumes } = world();
    const use = { attachmentId: "a", serverId: "other", device: "", hostName: "" };
    api.cinder.setVolume(FREE, { multiattach: true, attachments: [use] });
    assert.ok((await volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE })).operation);
  });

  it("takes neither a tag nor a volume for many while the server has no host, in Nova's words", async () => {
    const { api, volumes, begun } = world({
      vmState: VmState.VM_STATE_SHELVED_OFFLOADED,
      hostInfo: undefined,
    });
    const ask = (more: object = {}) =>
      volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE, ...more });
    await assert.rejects(ask({ tag: "t" }), {
      reason: "TAG_WHILE_OFFLOADED",
      kind: "invalid",
      message: "Tagged volume attachment is not supported for shelved-offloaded instances.",
    });
    api.cinder.setVolume(FREE, { multiattach: true });
    for (const more of [{}, { refuseMultiattach: true }])
      await assert.rejects(ask(more), {
        reason: "MULTIATTACH_WHILE_OFFLOADED",
        kind: "invalid",
        message: "Attaching multiattach volumes is not supported for shelved-offloaded instances.",
      });
    assert.equal(begun().length, 0);
    api.cinder.setVolume(FREE, { multiattach: false });
    assert.ok((await ask()).operation);
  });

  it("is accepted of a shelved server as it was found alone, on its host or off it", async () => {
    const expected = async (init: Partial<Server>): Promise<readonly boolean[]> => {
      const { api, volumes } = world(init);
      const pinned = (): boolean =>
        (api.cells.requests.get("acceptOperation") as AcceptOperationRequest).expectedGeneration !== 0n;
      await volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE });
      const attaching = pinned();
      await volumes.detachVolume(as(member), { serverId: SERVER, volumeId: HAD });
      return [attaching, pinned()];
    };
    const { VM_STATE_SHELVED: shelved, VM_STATE_SHELVED_OFFLOADED: off } = VmState;
    assert.deepEqual(await expected({ vmState: shelved }), [true, true]);
    assert.deepEqual(await expected({ vmState: off, hostInfo: undefined }), [true, true]);
    assert.deepEqual(await expected({}), [false, false]);
  });

  it("is judged anew when a shelved server has left its host since, and detaching is", async () => {
    for (const verb of ["attach", "detach"] as const) {
      const { api, volumes, begun } = world({ vmState: VmState.VM_STATE_SHELVED });
      api.before(() => {
        const { server } = api.cells.record("cell1", SERVER);
        const generation = (server?.generation ?? 0n) + 1n;
        const off = { vmState: VmState.VM_STATE_SHELVED_OFFLOADED, hostInfo: undefined };
        api.cells.put("cell1", { ...server, id: SERVER, ...off, generation });
      });
      if (verb === "attach") await volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE });
      else await volumes.detachVolume(as(member), { serverId: SERVER, volumeId: HAD });
      const type = verb === "attach" ? AttachVolumeInput : DetachVolumeInput;
      assert.deepEqual(
        begun().map(({ kind, input }) => [kind, type.decode(input).offloaded]),
        [[`server.${verb}-volume`, true]],
      );
    }
  });

  it("is refused in other states, to a locked server, and to a shelved one before 2.20", async () => {
    for (const [init, reason, request] of [
      [{ vmState: VmState.VM_STATE_SUSPENDED }, "INVALID_STATE", {}],
      [{ lock: { lockedBy: "admin", reason: "" } }, "INSTANCE_LOCKED", {}],
      [{ vmState: VmState.VM_STATE_SHELVED }, "INVALID_STATE", { refuseShelved: true }],
    ] as const) {
      const { volumes } = world(init as Partial<Server>);
      for (const call of [
        volumes.attachVolume(as(member), { serverId: SERVER, volumeId: FREE, ...request }),
        volumes.detachVolume(as(member), { serverId: SERVER, volumeId: HAD, ...request }),
      ])
        await assert.rejects(call, { reason });
    }
  });
});

describe("detaching a volume", () => {
  it("begins an operation, the same when it is repeated", async () => {
    const { api, volumes, begun } = world();
    const ask = () => volumes.detachVolume(as(member), { serverId: SERVER, volumeId: HAD, clientToken: "t" });
    const { operation } = await ask();
    assert.deepEqual(operation?.metadata?.asked, { $case: "detachVolume", value: { volumeId: HAD } });
    api.cinder.setVolume(HAD, { status: "detaching" });
    assert.equal((await ask()).operation?.name, operation?.name);
    assert.deepEqual(
      begun().map(({ input }) => DetachVolumeInput.decode(input).volumeId),
      [HAD],
    );
  });

  it("refuses the root volume, others' volumes, one that is not attached, one that is not in use", async () => {
    const { api, volumes } = world();
    const ask = (volumeId: string) => volumes.detachVolume(as(member), { serverId: SERVER, volumeId });
    await assert.rejects(ask(ROOT), { reason: "ROOT_VOLUME", message: "Cannot detach a root device volume" });
    await assert.rejects(ask(THEIRS), { reason: "VOLUME_NOT_FOUND" });
    await assert.rejects(ask(FREE), { reason: "VOLUME_ATTACHMENT_NOT_FOUND" });
    api.cinder.setVolume(HAD, { status: "detaching" });
    await assert.rejects(ask(HAD), { reason: "VOLUME_NOT_DETACHABLE" });
  });

  it("is refused for its volume's sake behind the server's lock, but knows it first, as in Nova", async () => {
    const { api, volumes } = world({ lock: { lockedBy: "owner", reason: "" } });
    const ask = (volumeId: string) => volumes.detachVolume(as(member), { serverId: SERVER, volumeId });
    api.cinder.setVolume(HAD, { status: "detaching" });
    await assert.rejects(ask(HAD), { reason: "INSTANCE_LOCKED" });
    await assert.rejects(ask(ROOT), { reason: "ROOT_VOLUME" });
    await assert.rejects(ask(FREE), { reason: "VOLUME_ATTACHMENT_NOT_FOUND" });
  });

  it("is the same operation when it is repeated, also once the volume is gone", async () => {
    const { api, volumes } = world();
    const ask = (clientToken: string) =>
      volumes.detachVolume(as(member), { serverId: SERVER, volumeId: HAD, clientToken });
    const { operation } = await ask("t");
    api.cells.putDevices("cell1", SERVER, []);
    assert.equal((await ask("t")).operation?.name, operation?.name);
    await assert.rejects(ask("another"), { reason: "VOLUME_ATTACHMENT_NOT_FOUND" });
  });

  it("refuses while the host is down", async () => {
    const { api, volumes } = world();
    const service = { id: "s1", binary: "nova-compute", host: "h1", up: false };
    api.cells.setServices("cell1", [HostService.fromPartial(service)]);
    await assert.rejects(volumes.detachVolume(as(member), { serverId: SERVER, volumeId: HAD }), {
      reason: "HOST_DOWN",
      message: "Service is unavailable at this time.",
    });
  });
});
