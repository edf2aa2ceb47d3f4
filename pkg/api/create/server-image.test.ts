import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { BlockDeviceDestination, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { toStored } from "../../cells/operations/domain/operation-rows.js";
import { systemClock } from "../../platform/process/clock.js";
import { presentOperation } from "../../model/operation-view.js";
import { OperationCatalogue, catalogue } from "../../model/operation-catalogue.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import { anApi, anImage, as, administrator, member } from "../testing/an-api.js";
import type { TestApi, TestApiOptions } from "../testing/an-api.js";

const VOLUME = "22222222-2222-4222-8222-222222222221";
const A = "00000000-0000-4000-8000-000000000001";
/** Nobody registers hosts here: what they can do is not asked. */
const operations = new OperationCatalogue(catalogue.all.map(({ capability: _capability, ...one }) => one));

const aSpecOnVolume = ServerSpec.fromPartial({
  blockDevices: [
    {
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
      bootIndex: 0,
    },
  ],
});

function world(options: TestApiOptions = {}): TestApi {
  const api = anApi({ operations, ...options });
  api.cells.put("cell1", {
    id: A,
    projectId: "p1",
    vmState: VmState.VM_STATE_ACTIVE,
    launchedAt: { seconds: 1n, nanos: 0 },
    image: { id: "base", properties: new Map([["os_distro", "debian"]]) },
    hostInfo: { host: "h1" },
  });
  return api;
}
const servers = (api: TestApi) => api.channel.client(ServersServiceDefinition);
const stored = (api: TestApi): StoredOperation[] =>
  [...api.cells.databases.values()].flatMap(({ operations: rows }) =>
    [...rows.values()].map((row) => toStored(row)),
  );

describe("an image of a server", () => {
  it("has its id from its acceptance on, the same for a repeated request", async () => {
    const api = world();
    const request = { serverId: A, name: "picture", metadata: new Map([["a", "b"]]), clientToken: "t1" };
    const first = await servers(api).createServerImage(as(member), request);
    const again = await servers(api).createServerImage(as(member), request);
    assert.match(first.imageId, /^[0-9a-f-]{36}$/);
    assert.equal(again.imageId, first.imageId);
    const [operation] = stored(api);
    assert.equal(stored(api).length, 1);
    const input = CreateImageInput.decode(operation?.input ?? Buffer.alloc(0));
    assert.deepEqual([input.imageId, input.name, input.owner], [first.imageId, "picture", "p1"]);
    assert.deepEqual(
      ["a", "os_distro", "base_image_ref", "instance_uuid"].map((name) => input.properties.get(name)),
      ["b", "debian", "base", A],
    );
    assert.deepEqual(first.operation?.metadata?.asked, {
      $case: "createServerImage",
      value: { name: "picture", imageId: first.imageId },
    });
  });

  it("is the same also when a repeated request tells its metadata in another order", async () => {
    const api = world();
    const asked = (...keys: string[]) => ({
      serverId: A,
      name: "picture",
      metadata: new Map(keys.map((key) => [key, "v"])),
      clientToken: "t",
    });
    const backup = { backupType: "daily", rotation: 1 };
    const images = [asked("a", "b"), asked("b", "a")].map((one) =>
      servers(api).createServerImage(as(member), one),
    );
    const [first, again] = await Promise.all(images);
    assert.equal(again?.imageId, first?.imageId);
    const other = world();
    const [made, remade] = [
      await servers(other).createServerBackup(as(member), { ...asked("a", "b"), ...backup }),
      await servers(other).createServerBackup(as(member), { ...asked("b", "a"), ...backup }),
    ];
    assert.equal(remade.imageId, made.imageId);
  });

  it("is the same for a repeated request also when its own snapshots have used up the quota", async () => {
    const api = world();
    api.cinder.addVolume({ id: VOLUME, projectId: "p1", status: "in-use" });
    const record = api.cells.record("cell1", A)?.server;
    const volumes = [{ id: VOLUME, deleteOnTermination: false }];
    api.cells.put("cell1", { ...record, id: A, image: undefined, volumes }, { spec: aSpecOnVolume });
    api.cinder.maximum = { ...api.cinder.maximum, maxSnapshots: 1 };
    const make = (clientToken: string) =>
      servers(api).createServerImage(as(member), { serverId: A, name: "picture", clientToken });
    const first = await make("t");
    api.cinder.addSnapshot({ volumeId: VOLUME, projectId: "p1" });
    assert.equal((await make("t")).operation?.name, first.operation?.name);
    assert.equal(stored(api).length, 1);
  });

  it("belongs to the project of who asks", async () => {
    const api = world();
    await servers(api).createServerImage(as(administrator), { serverId: A, name: "picture" });
    const input = CreateImageInput.decode(stored(api)[0]?.input ?? Buffer.alloc(0));
    assert.deepEqual([input.owner, input.memberProjectId], ["adm", "p1"]);
  });

  it("is refused in states of which there is no image, and for what is no property", async () => {
    const api = world();
    for (const name of ["visibility", "owner", "locations", "os_glance_x"])
      await assert.rejects(
        servers(api).createServerImage(as(member), {
          serverId: A,
          name: "picture",
          metadata: new Map([[name, "x"]]),
        }),
        { reason: "INVALID_REQUEST" },
      );
    api.cells.put("cell1", {
      id: A,
      projectId: "p1",
      vmState: VmState.VM_STATE_ERROR,
      image: { id: "base", properties: new Map() },
    });
    await assert.rejects(servers(api).createServerImage(as(member), { serverId: A, name: "picture" }), {
      reason: "INVALID_STATE",
      message: /Cannot 'createImage' instance .* vm_state error/,
    });
  });

  it("of a server without an image of its own takes one more right, and is no backup", async () => {
    const rule = "os_compute_api:servers:create_image:allow_volume_backed";
    const api = world({ policy: `"${rule}": "!"` });
    const make = () => servers(api).createServerImage(as(member), { serverId: A, name: "picture" });
    await make();
    api.cells.clear();
    const { VM_STATE_ACTIVE: vmState } = VmState;
    api.cells.put("cell1", { id: A, projectId: "p1", vmState, launchedAt: { seconds: 1n, nanos: 0 } });
    await assert.rejects(make(), { reason: "FORBIDDEN" });
    await assert.rejects(
      servers(api).createServerBackup(as(member), {
        serverId: A,
        name: "b",
        backupType: "daily",
        rotation: 1,
      }),
      { reason: "VOLUME_BACKED", message: "Backup is not supported for volume-backed instances." },
    );
  });

  it("names its volumes when the server boots from one that its image has brought; nothing else is done to it", async () => {
    const api = world();
    api.cinder.addVolume({ id: VOLUME, projectId: "p1", status: "in-use", sizeGib: 1 });
    const image = { id: "base", properties: new Map<string, string>() };
    const { VM_STATE_ACTIVE: vmState } = VmState;
    api.cells.put(
      "cell1",
      {
        id: A,
        projectId: "p1",
        vmState,
        image,
        launchedAt: { seconds: 1n, nanos: 0 },
        volumes: [{ id: VOLUME, deleteOnTermination: false }],
      },
      { spec: aSpecOnVolume },
    );
    const backup = { serverId: A, name: "b", backupType: "daily", rotation: 1 };
    await assert.rejects(servers(api).createServerBackup(as(member), backup), { reason: "VOLUME_BACKED" });
    api.images.set(anImage().id, anImage());
    const rescue = { serverId: A, imageId: anImage().id };
    await assert.rejects(servers(api).rescueServer(as(member), rescue), {
      message: /a volume-backed instance/,
    });
    await assert.rejects(servers(api).rebuildServer(as(member), { serverId: A, imageId: anImage().id }), {
      message: /volume-backed server/,
    });
    await servers(api).createServerImage(as(member), { serverId: A, name: "picture" });
    const { volumeBacked, volumeIds } = CreateImageInput.decode(stored(api)[0]?.input ?? Buffer.alloc(0));
    assert.deepEqual([volumeBacked, volumeIds], [true, [VOLUME]]);
  });

  /** Plays the conductor: ends the operation's first step once it is there. */
  async function play(api: TestApi, end: Partial<StoredOperation>, answered: () => boolean): Promise<void> {
    const operation = await until(() => stored(api)[0]);
    const now = { ...operation, ...end };
    api.cells.putOperation("cell1", now);
    // Again and again: the api may not follow the feed yet.
    const generation = { next: 5n };
    await until(() => {
      api.cells.feed("cell1").operation(presentOperation(now), generation.next++);
      return answered();
    });
  }
  const step = (state: string) => [
    { name: "create-image", state, finishedAt: { seconds: 2n, nanos: 0 }, attempts: 1 },
  ];
  /** Runs both, and tells the conductor when the answer is there. */
  async function answeredWhile<T>(
    api: TestApi,
    answer: Promise<T>,
    end: Partial<StoredOperation>,
  ): Promise<T> {
    let over = false;
    const ended = answer.finally(() => {
      over = true;
    });
    const [result] = await Promise.all([ended, play(api, end, () => over)]);
    return result;
  }

  it("is there when the answer comes", async () => {
    const api = world({ config: { imageWaitMs: 20_000 } });
    api.service.start(testCtx());
    const began = systemClock.monotonicMs();
    const { steps } = StoredOperation.fromPartial({ steps: step("done") });
    const answer = await answeredWhile(
      api,
      servers(api).createServerImage(as(member), { serverId: A, name: "picture" }),
      { steps },
    );
    assert.match(answer.imageId, /^[0-9a-f-]{36}$/);
    assert.ok(systemClock.monotonicMs() - began < 5_000);
    await api.service.close();
  });

  it("is refused with what the Image service said", async () => {
    for (const [reason, kind] of [
      ["IMAGE_QUOTA", "quota"],
      ["IMAGE_INVALID", "invalid"],
      ["IMAGE_FORBIDDEN", "forbidden"],
    ] as const) {
      const api = world({ config: { imageWaitMs: 20_000 } });
      api.service.start(testCtx());
      const error = { reason, domain: "glance", message: "no", facts: new Map(), noValidHost: undefined };
      await answeredWhile(
        api,
        assert.rejects(servers(api).createServerImage(as(member), { serverId: A, name: "picture" }), {
          reason,
          kind,
        }),
        { state: OperationState.OPERATION_STATE_FAILED, error },
      );
      await api.service.close();
    }
  });
});
