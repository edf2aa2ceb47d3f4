import assert from "node:assert/strict";
import { InterfacesServiceDefinition } from "../../../gen/kilonova/api/v1/interfaces_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { VolumeAttachmentsServiceDefinition } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo, ServerImage, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { TestApi } from "../testing/an-api.js";
import { aFlavor, administrator, anApi, anImage, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const NOWHERE = "00000000-0000-4000-8000-0000000000ff";

/** A server of the member on a host that can do everything. */
function world(init: Partial<Server> = {}, policy?: string): TestApi {
  const api = anApi(policy === undefined ? {} : { policy });
  api.images.set(anImage().id, anImage());
  const capabilities = ["rebuild", "rescue", "snapshot", "attach-interface", "attach-volume"];
  api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities })]);
  api.cells.put("cell1", {
    id: A,
    projectId: "p1",
    vmState: VmState.VM_STATE_ACTIVE,
    launchedAt: { seconds: 1n, nanos: 0 },
    flavor: aFlavor(),
    image: ServerImage.fromPartial({ id: anImage().id }),
    hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "n1" }),
    ...init,
  });
  return api;
}

/** Calls that refer to what is not there, and what they hear of a server that is ready for them. */
const wrong: readonly [
  what: string,
  reason: string,
  (api: TestApi, actor?: typeof member) => Promise<unknown>,
][] = [
  [
    "rebuild",
    "IMAGE_NOT_FOUND",
    (api, actor = member) =>
      api.channel
        .client(ServersServiceDefinition)
        .rebuildServer(as(actor), { serverId: A, imageId: NOWHERE }),
  ],
  [
    "rescue",
    "IMAGE_NOT_FOUND",
    (api, actor = member) =>
      api.channel.client(ServersServiceDefinition).rescueServer(as(actor), { serverId: A, imageId: NOWHERE }),
  ],
  [
    "attach_interface",
    "NETWORK_NOT_FOUND",
    (api, actor = member) =>
      api.channel
        .client(InterfacesServiceDefinition)
        .attachInterface(as(actor), { serverId: A, networkId: NOWHERE }),
  ],
  [
    "detach_interface",
    "PORT_NOT_FOUND",
    (api, actor = member) =>
      api.channel
        .client(InterfacesServiceDefinition)
        .detachInterface(as(actor), { serverId: A, portId: NOWHERE }),
  ],
  [
    "attach_volume",
    "VOLUME_NOT_FOUND",
    (api, actor = member) =>
      api.channel
        .client(VolumeAttachmentsServiceDefinition)
        .attachVolume(as(actor), { serverId: A, volumeId: NOWHERE }),
  ],
];

describe("what a request refers to", () => {
  for (const [what, reason, ask] of wrong) {
    it(`is looked at behind the state of the server: ${what}`, async () => {
      await assert.rejects(ask(world()), { reason });
      await assert.rejects(ask(world({ vmState: VmState.VM_STATE_SUSPENDED })), {
        reason: "INVALID_STATE",
        message: `Cannot '${what}' instance ${A} while it is in vm_state suspended`,
      });
      await assert.rejects(ask(world({ taskState: "rebooting" })), { reason: "INVALID_STATE" });
      await assert.rejects(ask(world({ launchedAt: undefined })), {
        message: `Instance ${A} is in an invalid state for '${what}'`,
      });
    });

    it(`is looked at behind its lock, but for who may pass it: ${what}`, async () => {
      const lock = { lockedBy: "owner", reason: "" };
      await assert.rejects(ask(world({ lock })), { reason: "INSTANCE_LOCKED" });
      await assert.rejects(ask(world({ lock }), administrator), { reason });
    });
  }

  it("is told of a server that has a host only", async () => {
    const [, , attach] = wrong[2] ?? assert.fail();
    await assert.rejects(attach(world({ hostInfo: undefined })), { reason: "NOT_READY" });
  });

  it("is behind what the server does, where what is asked for takes several forms", async () => {
    const [, reason, attach] = wrong[4] ?? assert.fail();
    const offloaded = { vmState: VmState.VM_STATE_SHELVED_OFFLOADED, hostInfo: undefined };
    await assert.rejects(attach(world(offloaded)), { reason });
    await assert.rejects(attach(world({ ...offloaded, taskState: "unshelving" })), {
      reason: "INVALID_STATE",
      message: `Cannot 'attach_volume' instance ${A} while it is in task_state unshelving`,
    });
  });

  it("is not told of a server that is gone, to who repeats a call", async () => {
    const deletedAt = { seconds: 2n, nanos: 0 };
    const api = world({ vmState: VmState.VM_STATE_DELETED, deletedAt });
    await assert.rejects(
      api.channel
        .client(ServersServiceDefinition)
        .rescueServer(as(member), { serverId: A, imageId: NOWHERE, clientToken: "t" }),
      { reason: "SERVER_NOT_FOUND" },
    );
  });

  it("comes after what the request says by itself, and what the caller may not do", async () => {
    const api = world({ vmState: VmState.VM_STATE_SUSPENDED, image: undefined });
    const interfaces = api.channel.client(InterfacesServiceDefinition);
    await assert.rejects(
      interfaces.attachInterface(as(member), { serverId: A, networkId: NOWHERE, portId: NOWHERE }),
      { reason: "INVALID_REQUEST" },
    );
    const servers = api.channel.client(ServersServiceDefinition);
    await assert.rejects(
      servers.createServerBackup(as(member), { serverId: A, name: "b", backupType: "daily", rotation: 1 }),
      { reason: "VOLUME_BACKED" },
    );
    const forbidden = '"os_compute_api:servers:create_image:allow_volume_backed": "!"';
    const guarded = world({ vmState: VmState.VM_STATE_RESCUED, image: undefined }, forbidden);
    await assert.rejects(
      guarded.channel
        .client(ServersServiceDefinition)
        .createServerImage(as(member), { serverId: A, name: "picture" }),
      { reason: "FORBIDDEN" },
    );
    const rescued = world({ vmState: VmState.VM_STATE_RESCUED, image: undefined });
    await assert.rejects(
      rescued.channel
        .client(ServersServiceDefinition)
        .createServerBackup(as(member), { serverId: A, name: "b", backupType: "daily", rotation: 1 }),
      { reason: "INVALID_STATE" },
    );
  });
});
