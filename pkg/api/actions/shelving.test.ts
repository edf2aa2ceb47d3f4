import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { Quiesce, ShelveInput, UnshelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { ServerHostInfo, ServerImage, VmState } from "../../../gen/kilonova/type/v1/server.js";
import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../gen/kilonova/type/v1/block_device.js";
import { ServerSecrets, ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { TestApi } from "../testing/an-api.js";
import { administrator, anApi, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const IMAGE = "aaaaaaaa-0000-4000-8000-000000000001";
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_SHELVED: SHELVED } = VmState;

function bench(
  over: Partial<Server> = {},
  capabilities = ["snapshot"],
  blockDevices: BlockDevice[] = [],
  availabilityZone = "",
): TestApi {
  const api = anApi();
  api.cells.setNodes("cell1", [ComputeNode.fromPartial({ id: "n1", host: "h1", capabilities })]);
  const server: Parameters<TestApi["cells"]["put"]>[1] = {
    id: A,
    name: "vm",
    vmState: ACTIVE,
    hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "n1" }),
    image: ServerImage.fromPartial({
      id: IMAGE,
      properties: new Map([
        ["os_distro", "alpine"],
        ["hw_qemu_guest_agent", "yes"],
        ["os_require_quiesce", "yes"],
      ]),
    }),
    launchedAt: { seconds: 1n, nanos: 0 },
    ...over,
  };
  api.cells.put("cell1", server, { spec: ServerSpec.fromPartial({ blockDevices, availabilityZone }) });
  return api;
}
const servers = (api: TestApi) => api.channel.client(ServersServiceDefinition);
const shelve = (api: TestApi) => servers(api).shelveServer(as(member), { serverId: A });
const imageOf = (api: TestApi) => {
  const { input } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
  return ShelveInput.decode(input).image ?? assert.fail("no image");
};

describe("shelveServer", () => {
  it("names the image after the server, and tells its id at once", async () => {
    const api = bench();
    const { operation } = await shelve(api);
    const image = imageOf(api);
    assert.equal(operation?.kind, "server.shelve");
    assert.deepEqual(operation?.metadata?.asked, {
      $case: "shelveServer",
      value: { name: "vm-shelved", imageId: image.imageId },
    });
    assert.deepEqual(
      [image.owner, image.properties.get("image_type"), image.properties.get("instance_uuid")],
      ["p1", "snapshot", A],
    );
    assert.deepEqual(
      [image.properties.get("base_image_ref"), image.properties.get("os_distro")],
      [IMAGE, "alpine"],
    );
    // There is nobody left inside who could freeze anything.
    assert.equal(image.quiesce, Quiesce.QUIESCE_UNSPECIFIED);
  });

  it("cuts names that the Image service would not take", async () => {
    for (const [name, expected] of [
      ["a".repeat(255), `${"a".repeat(247)}-shelved`],
      ["\u{1f600}".repeat(250), `${"\u{1f600}".repeat(247)}-shelved`],
    ] as const) {
      const api = bench({ name });
      await shelve(api);
      assert.equal(imageOf(api).name, expected);
    }
  });

  it("makes no image of a server whose disk is a volume", async () => {
    const none = async (api: TestApi): Promise<void> => {
      await shelve(api);
      const { input, kindVersion } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
      assert.deepEqual([ShelveInput.decode(input).image, kindVersion], [undefined, 2]);
    };
    await none(bench({ image: undefined }));
    const root = BlockDevice.fromPartial({
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
      bootIndex: 0,
    });
    // Its image has brought a volume to boot from.
    await none(bench({}, ["snapshot"], [root]));
  });

  it("does not shelve on a host that cannot", async () => {
    await assert.rejects(shelve(bench({}, [])), { reason: "CAPABILITY_MISSING", kind: "unsupported" });
  });
});

/** Its host is in zone west; there is one in zone east. */
function offloadedBench(pinned = "", over: Partial<Server> = {}): TestApi {
  const vmState = VmState.VM_STATE_SHELVED_OFFLOADED;
  const api = bench({ vmState, hostInfo: undefined, ...over }, [], [], pinned);
  const places = [
    ["h1", "west"],
    ["h2", "east"],
  ] as const;
  const services = places.map(([host, availabilityZone]) =>
    HostService.fromPartial({ id: host, binary: "nova-compute", host, availabilityZone, up: true }),
  );
  api.cells.setServices("cell1", services);
  return api;
}

describe("unshelveServer", () => {
  const text = `Specifying an availability zone or a host when unshelving server "${A}" with status "shelved" is not supported. The server status must be SHELVED_OFFLOADED.`;

  it("begins where the server stands", async () => {
    const { operation } = await servers(bench({ vmState: SHELVED })).unshelveServer(as(member), {
      serverId: A,
    });
    assert.deepEqual([operation?.kind, operation?.metadata], ["server.unshelve", undefined]);
  });

  for (const asked of [{ availabilityZone: "" }, { availabilityZone: "z" }, { host: "h2" }])
    it(`refuses ${JSON.stringify(asked)} of a server that has its host, in Nova's words`, async () => {
      const api = bench({ vmState: SHELVED });
      for (const who of [member, administrator])
        await assert.rejects(servers(api).unshelveServer(as(who), { serverId: A, ...asked }), {
          reason: "NOT_OFFLOADED",
          kind: "refused",
          message: text,
        });
    });

  it("tells of a lock and of another state first", async () => {
    const asked = { serverId: A, availabilityZone: "z" };
    const locked = bench({ vmState: SHELVED, lock: { lockedBy: "admin", reason: "" } });
    await assert.rejects(servers(locked).unshelveServer(as(member), asked), { reason: "INSTANCE_LOCKED" });
    await assert.rejects(servers(locked).unshelveServer(as(administrator), asked), {
      reason: "NOT_OFFLOADED",
    });
    await assert.rejects(servers(bench()).unshelveServer(as(member), asked), { reason: "INVALID_STATE" });
  });

  it("lets only those name a host who may", async () => {
    const asked = { serverId: A, host: "h2" };
    const offloaded = bench({ vmState: VmState.VM_STATE_SHELVED_OFFLOADED });
    await assert.rejects(servers(offloaded).unshelveServer(as(member), asked), { kind: "forbidden" });
    await assert.rejects(servers(offloaded).unshelveServer(as(administrator), asked), {
      reason: "HOST_NOT_FOUND",
    });
  });

  it("tells those who may not name a host of lock, state, host and zone first", async () => {
    const ask = (api: TestApi, more: object = {}) =>
      servers(api).unshelveServer(as(member), { serverId: A, host: "h1", ...more });
    const lock = { lockedBy: "owner", reason: "" };
    await assert.rejects(ask(offloadedBench("", { lock })), { reason: "INSTANCE_LOCKED" });
    await assert.rejects(ask(offloadedBench("", { taskState: "unshelving" })), {
      reason: "INVALID_STATE",
      message: `Cannot 'unshelve' instance ${A} while it is in task_state unshelving`,
    });
    await assert.rejects(ask(bench()), { reason: "INVALID_STATE" });
    await assert.rejects(ask(bench({ vmState: SHELVED })), { reason: "NOT_OFFLOADED" });
    await assert.rejects(ask(offloadedBench(), { availabilityZone: "mars" }), {
      reason: "ZONE_NOT_AVAILABLE",
    });
    await assert.rejects(ask(offloadedBench(), { host: "h9" }), { kind: "forbidden" });
  });

  it("tells of the state in which it could begin, whatever is asked for", async () => {
    const api = offloadedBench("", { taskState: "unshelving" });
    await assert.rejects(
      servers(api).unshelveServer(as(administrator), { serverId: A, availabilityZone: "mars" }),
      {
        reason: "INVALID_STATE",
        message: `Cannot 'unshelve' instance ${A} while it is in task_state unshelving`,
      },
    );
  });

  it("is accepted of the server as it was found alone: it decides which way back it is", async () => {
    for (const api of [bench({ vmState: SHELVED }), offloadedBench()]) {
      await servers(api).unshelveServer(as(member), { serverId: A });
      const { expectedGeneration } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
      assert.notEqual(expectedGeneration, 0n);
    }
  });

  it("does not know hosts of other cells", async () => {
    const api = offloadedBench();
    const far = HostService.fromPartial({ id: "h3", binary: "nova-compute", host: "h3", up: true });
    api.cells.setServices("cell2", [far]);
    await assert.rejects(servers(api).unshelveServer(as(administrator), { serverId: A, host: "h3" }), {
      reason: "HOST_NOT_FOUND",
      kind: "invalid",
      message: "Compute host h3 could not be found.",
    });
  });

  it("looks for a place where its user wants it", async () => {
    for (const [asked, expected] of [
      [{}, {}],
      [{ availabilityZone: "west" }, { movesZone: true, availabilityZone: "west" }],
      [{ availabilityZone: "" }, { movesZone: true }],
      [{ host: "h1" }, { host: "h1" }],
    ] as const) {
      const api = offloadedBench();
      await servers(api).unshelveServer(as(administrator), { serverId: A, ...asked });
      const { input, kindVersion } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
      assert.deepEqual(
        [UnshelveInput.decode(input), kindVersion],
        [UnshelveInput.fromPartial({ offloaded: true, ...expected }), 2],
      );
    }
  });

  it("takes user data along for the config drive that is made anew", async () => {
    for (const configDrive of [true, false]) {
      const api = bench({
        vmState: VmState.VM_STATE_SHELVED_OFFLOADED,
        configDrive,
        userData: "dXNlcg==",
      });
      await servers(api).unshelveServer(as(administrator), { serverId: A });
      const { secrets } = api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
      assert.equal(ServerSecrets.decode(secrets).userData, configDrive ? "dXNlcg==" : "");
    }
  });

  it("refuses a place that is not there, and one that contradicts itself", async () => {
    for (const [asked, reason, kind] of [
      [{ availabilityZone: "mars" }, "ZONE_NOT_AVAILABLE", "invalid"],
      [{ host: "h9" }, "HOST_NOT_FOUND", "invalid"],
      [{ host: "h1", availabilityZone: "east" }, "HOST_NOT_IN_ZONE", "refused"],
    ] as const)
      await assert.rejects(
        servers(offloadedBench()).unshelveServer(as(administrator), { serverId: A, ...asked }),
        { reason, kind },
      );
    // Pinned by its creation.
    await assert.rejects(
      servers(offloadedBench("east")).unshelveServer(as(administrator), { serverId: A, host: "h1" }),
      { reason: "HOST_NOT_IN_ZONE" },
    );
  });
});
