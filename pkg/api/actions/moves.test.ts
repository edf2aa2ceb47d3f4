import assert from "node:assert/strict";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import { ComputeNode, HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { AcceptOperationRequest } from "../../../gen/kilonova/cells/v1/instances_service.js";
import { EndMoveInput, MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { MigrationKind, MigrationRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { DiskConfig, ServerHostInfo, ServerImage, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../gen/kilonova/type/v1/block_device.js";
import { ImageRef, ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { apiConfigSchema } from "../config.js";
import type { TestApi } from "../testing/an-api.js";
import { aFlavor, administrator, anApi, as, member } from "../testing/an-api.js";

const A = "00000000-0000-4000-8000-000000000001";
const IMAGE = "aaaaaaaa-0000-4000-8000-000000000001";
const MIGRATION = "bbbbbbbb-0000-4000-8000-000000000001";
const { VM_STATE_ACTIVE: ACTIVE, VM_STATE_RESIZED: RESIZED } = VmState;
const OWN = aFlavor({ id: "own", name: "own", rootGib: 2, ephemeralGib: 1, memoryMib: 512 });

interface Scene {
  readonly server?: Partial<Server>;
  readonly spec?: Parameters<typeof ServerSpec.fromPartial>[0];
  /** Hosts that are down. */
  readonly down?: readonly string[];
  readonly policy?: string;
}

/** A server on h1 in a cell with h2, and flavors around its own. */
function bench({ server = {}, spec = {}, down = [], policy = "" }: Scene = {}): TestApi {
  const api = anApi({ policy, config: { hostListTtlMs: 0 } });
  const hosts = ["h1", "h2"];
  api.cells.setServices(
    "cell1",
    hosts.map((host) =>
      HostService.fromPartial({ id: host, binary: "nova-compute", host, up: !down.includes(host) }),
    ),
  );
  api.cells.setNodes(
    "cell1",
    hosts.map((host) => ComputeNode.fromPartial({ id: host, host, capabilities: ["move"] })),
  );
  const { cells } = api;
  const put = (init: Partial<Flavor>): void => {
    const flavor = aFlavor({ ...OWN, name: init.id ?? "", ...init });
    cells.flavors.set(flavor.id, flavor);
  };
  put(OWN);
  const extraSpecs = new Map([["hw:cpu_policy", "shared"]]);
  put({ id: "big", vcpus: 2, memoryMib: 1024, rootGib: 4, extraSpecs });
  put({ id: "lean", memoryMib: 256 });
  put({ id: "small", rootGib: 1 });
  put({ id: "bare", ephemeralGib: 0 });
  put({ id: "zero", rootGib: 0 });
  put({ id: "off", disabled: true });
  put({ id: "private", isPublic: false, projectIds: ["p2"] });
  cells.put(
    "cell1",
    {
      id: A,
      vmState: ACTIVE,
      flavor: OWN,
      hostInfo: ServerHostInfo.fromPartial({ host: "h1", node: "h1" }),
      image: ServerImage.fromPartial({ id: IMAGE }),
      launchedAt: { seconds: 1n, nanos: 0 },
      ...server,
    },
    { spec: ServerSpec.fromPartial({ flavor: OWN, image: { id: IMAGE }, ...spec }) },
  );
  return api;
}
const servers = (api: TestApi) => api.channel.client(ServersServiceDefinition);
const resize = (api: TestApi, flavorId: string, more: object = {}, who = member) =>
  servers(api).resizeServer(as(who), { serverId: A, flavorId, ...more });
const accepted = (api: TestApi) => api.cells.requests.get("acceptOperation") as AcceptOperationRequest;
const locked = { lock: { lockedBy: "admin", reason: "" } };

describe("resizeServer", () => {
  it("works with the flavor as it is now, and with every host but its own", async () => {
    const api = bench();
    const { operation } = await resize(api, "big");
    const { input, kind, expectedGeneration, change } = accepted(api);
    const { flavor, host, excludeHosts } = MoveInput.decode(input);
    assert.deepEqual([operation?.kind, kind], ["server.resize", "server.resize"]);
    assert.deepEqual(operation?.metadata?.asked, { $case: "resizeServer", value: { flavorId: "big" } });
    assert.deepEqual([host, excludeHosts], ["", ["h1"]]);
    assert.deepEqual(
      [flavor?.id, flavor?.memoryMib, flavor?.extraSpecs.get("hw:cpu_policy"), flavor?.projectIds],
      ["big", 1024, "shared", []],
    );
    assert.notEqual(expectedGeneration, 0n);
    assert.equal(change, undefined);
  });

  const wordings = {
    same: "When resizing, instances must change flavor!",
    none: "Flavor off could not be found.",
  };
  const refusals: readonly (readonly [string, Scene, string, string, string?])[] = [
    ["its own flavor", {}, "own", "SAME_FLAVOR", wordings.same],
    ["a flavor that is not there", {}, "nonsense", "FLAVOR_NOT_FOUND"],
    ["one that is disabled", {}, "off", "FLAVOR_NOT_FOUND", wordings.none],
    ["one of other projects", {}, "private", "FLAVOR_NOT_FOUND"],
    ["no disk", {}, "zero", "ZERO_DISK_FLAVOR"],
    ["a smaller disk", {}, "small", "DISK_CANNOT_SHRINK"],
    ["a smaller ephemeral disk", {}, "bare", "DISK_CANNOT_SHRINK"],
    [
      "less memory than its image needs",
      { spec: { image: ImageRef.fromPartial({ id: IMAGE, minMemoryMib: 300 }) } },
      "lean",
      "FLAVOR_MEMORY_TOO_SMALL",
    ],
    [
      "a smaller disk than its image needs",
      { spec: { image: ImageRef.fromPartial({ id: IMAGE, minDiskGib: 5 }) } },
      "big",
      "FLAVOR_DISK_SMALLER_THAN_MIN_DISK",
    ],
    [
      "a disk smaller than its image",
      {
        server: { flavor: aFlavor({ ...OWN, rootGib: 0 }) },
        spec: { image: ImageRef.fromPartial({ id: IMAGE, sizeBytes: 5n * 1024n ** 3n }) },
      },
      "big",
      "FLAVOR_DISK_SMALLER_THAN_IMAGE",
    ],
  ];
  for (const [what, scene, flavor, reason, message] of refusals)
    it(`refuses ${what}`, async () => {
      await assert.rejects(resize(bench(scene), flavor), {
        reason,
        kind: "invalid",
        ...(message === undefined ? {} : { message }),
      });
    });

  it("lets those go on without a disk's size who could build so", async () => {
    const scene = { server: { flavor: aFlavor({ ...OWN, rootGib: 0 }) } };
    await assert.rejects(resize(bench(scene), "zero"), { reason: "ZERO_DISK_FLAVOR", kind: "forbidden" });
    await resize(bench(scene), "zero", {}, administrator);
  });

  it("takes a flavor that was made anew under the same id for another one", async () => {
    const old = aFlavor({ ...OWN, createdAt: { seconds: 1n, nanos: 0 } });
    await resize(bench({ server: { flavor: old } }), "own");
  });

  it("tells of the own flavor as such, also a disabled one, and of a zero disk first", async () => {
    const api = bench();
    const put = (init: Partial<Flavor>) =>
      api.cells.flavors.set(init.id ?? "", aFlavor({ ...OWN, name: init.id ?? "", disabled: true, ...init }));
    put({ id: "own" });
    put({ id: "zero", rootGib: 0 });
    await assert.rejects(resize(api, "own"), { reason: "SAME_FLAVOR", message: wordings.same });
    await assert.rejects(resize(api, "zero"), { reason: "ZERO_DISK_FLAVOR", kind: "invalid" });
    await assert.rejects(resize(api, "off"), { reason: "FLAVOR_NOT_FOUND", message: wordings.none });
  });

  it("asks nothing of a flavor's disk when the root disk is a volume", async () => {
    const root = BlockDevice.fromPartial({
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
      bootIndex: 0,
    });
    const scene = { server: { image: undefined }, spec: { image: undefined, blockDevices: [root] } };
    await resize(bench(scene), "zero");
    await resize(bench(scene), "small");
    // What the image on it needs, it needs.
    const needing = { ...scene, spec: { ...scene.spec, volumeImageMinMemoryMib: 300 } };
    await assert.rejects(resize(bench(needing), "lean"), {
      reason: "FLAVOR_MEMORY_TOO_SMALL",
      message: "Flavor's memory is too small for requested image.",
    });
    await resize(bench(needing), "small");
  });

  it("tells of lock and state first, then of the host", async () => {
    await assert.rejects(resize(bench({ server: locked }), "own"), { reason: "INSTANCE_LOCKED" });
    await assert.rejects(resize(bench({ server: { vmState: VmState.VM_STATE_PAUSED } }), "own"), {
      reason: "INVALID_STATE",
      message: `Cannot 'resize' instance ${A} while it is in vm_state paused`,
    });
    await assert.rejects(resize(bench({ server: locked, down: ["h1"] }), "big"), {
      reason: "INSTANCE_LOCKED",
    });
    await assert.rejects(resize(bench({ down: ["h1"] }), "nonsense"), {
      reason: "HOST_DOWN",
      kind: "refused",
      message: "Service is unavailable at this time.",
    });
    await assert.rejects(resize(bench({ server: { hostInfo: undefined } }), "own"), { reason: "NOT_READY" });
    const offloaded = { vmState: VmState.VM_STATE_SHELVED_OFFLOADED, hostInfo: undefined };
    for (const flavor of ["own", "big"])
      await assert.rejects(resize(bench({ server: offloaded }), flavor), {
        reason: "INVALID_STATE",
        message: `Cannot 'resize' instance ${A} while it is in vm_state shelved_offloaded`,
      });
  });

  it("does not mind other hosts that are down: the scheduler sees them", async () => {
    await resize(bench({ down: ["h2"] }), "big");
  });

  it("changes how the root partition is treated together with the acceptance", async () => {
    const diskConfig = DiskConfig.DISK_CONFIG_AUTO;
    const api = bench();
    await resize(api, "big", { diskConfig });
    const { change } = accepted(api);
    assert.deepEqual(
      [change?.updateMask, change?.server?.diskConfig, change?.specMask, change?.spec?.diskConfig],
      [["disk_config"], diskConfig, ["disk_config"], diskConfig],
    );
    const shown = await servers(api).getServer(as(member), { serverId: A });
    assert.equal(shown.server?.diskConfig, diskConfig);
    const properties = new Map([["hw_auto_disk_config", "disabled"]]);
    const forbidding = bench({ spec: { image: ImageRef.fromPartial({ id: IMAGE, properties }) } });
    await assert.rejects(resize(forbidding, "big", { diskConfig }), { reason: "DISK_CONFIG_DISABLED" });
    await resize(forbidding, "big", { diskConfig: DiskConfig.DISK_CONFIG_MANUAL });
  });

  it("answers a repeated call with what it began, whatever the server is by then", async () => {
    const api = bench();
    const once = { clientToken: "t" };
    const first = await resize(api, "big", once);
    api.cells.flavors.delete("big");
    const second = await resize(api, "big", once);
    assert.equal(second.operation?.name, first.operation?.name);
  });

  it("is not asked to stay on its host yet", () => {
    assert.throws(() => apiConfigSchema.parse({ allowResizeToSameHost: true }), /is not built yet/);
    assert.equal(apiConfigSchema.parse({}).allowResizeToSameHost, false);
  });
});

describe("migrateServer", () => {
  const migrate = (api: TestApi, more: object = {}, who = administrator) =>
    servers(api).migrateServer(as(who), { serverId: A, ...more });

  it("keeps the flavor, and goes where it is asked to or anywhere else", async () => {
    for (const asked of [{}, { host: "h2" }]) {
      const api = bench();
      const { operation } = await migrate(api, asked);
      const { flavor, host, excludeHosts } = MoveInput.decode(accepted(api).input);
      assert.equal(operation?.kind, "server.migrate");
      assert.deepEqual([flavor, host, excludeHosts], [undefined, asked.host ?? "", ["h1"]]);
    }
  });

  it("refuses its own host, one that is not there, and one of another cell", async () => {
    const api = bench();
    const far = HostService.fromPartial({ id: "h3", binary: "nova-compute", host: "h3", up: true });
    api.cells.setServices("cell2", [far]);
    await assert.rejects(migrate(api, { host: "h1" }), {
      reason: "SAME_HOST",
      kind: "invalid",
      message: "Cannot migrate to the host where the server exists.",
    });
    for (const host of ["h9", "h3"])
      await assert.rejects(migrate(api, { host }), {
        reason: "HOST_NOT_FOUND",
        kind: "invalid",
        message: `Compute host ${host} could not be found.`,
      });
  });

  it("asks one rule for any host, and another one for a host by name", async () => {
    const any = '"os_compute_api:os-migrate-server:migrate"';
    const named = '"os_compute_api:os-migrate-server:migrate:host"';
    await assert.rejects(migrate(bench(), {}, member), { kind: "forbidden" });
    await migrate(bench({ policy: `${any}: "role:member"` }), {}, member);
    await assert.rejects(
      migrate(bench({ policy: `${any}: "role:member"` }), { host: "h2" }, member),
      /migrate:host/,
    );
    await migrate(bench({ policy: `${named}: "role:member"` }), { host: "h2" }, member);
  });

  it("tells of lock, state and host first", async () => {
    const asked = { host: "h9" };
    const policy = '"os_compute_api:os-migrate-server:migrate:host": "role:member"';
    await assert.rejects(migrate(bench({ server: locked, policy }), asked, member), {
      reason: "INSTANCE_LOCKED",
    });
    await assert.rejects(migrate(bench({ server: { vmState: RESIZED } }), asked), {
      reason: "INVALID_STATE",
      message: `Cannot 'migrate' instance ${A} while it is in vm_state resized`,
    });
    await assert.rejects(migrate(bench({ down: ["h1"] }), asked), { reason: "HOST_DOWN" });
  });
});

describe("confirmServerResize and revertServerResize", () => {
  /** The server waits on h1; it came from h2. */
  function resizedBench(scene: Scene = {}, migration: Partial<MigrationRecord> = {}): TestApi {
    const api = bench({ ...scene, server: { vmState: RESIZED, ...scene.server } });
    const moved = {
      serverId: A,
      kind: MigrationKind.MIGRATION_KIND_RESIZE,
      status: "finished",
      source: { host: "h2", node: "h2" },
      target: { host: "h1", node: "h1" },
      oldFlavor: OWN,
    };
    const at = (seconds: bigint) => ({ createdAt: { seconds, nanos: 0 } });
    const older = "bbbbbbbb-0000-4000-8000-000000000000";
    api.cells.putMigration(
      "cell1",
      MigrationRecord.fromPartial({ ...moved, ...at(1n), id: older, status: "confirmed" }),
    );
    api.cells.putMigration(
      "cell1",
      MigrationRecord.fromPartial({ ...moved, ...at(2n), id: MIGRATION, ...migration }),
    );
    return api;
  }
  const ends = [
    ["confirmServerResize", "server.confirm-resize", "confirmResize"],
    ["revertServerResize", "server.revert-resize", "revertResize"],
  ] as const;

  for (const [method, kind, action] of ends) {
    const ask = (api: TestApi) => servers(api)[method](as(member), { serverId: A });

    it(`${method} names the move that has finished`, async () => {
      for (const of of [MigrationKind.MIGRATION_KIND_RESIZE, MigrationKind.MIGRATION_KIND_MIGRATION]) {
        const api = resizedBench({}, { kind: of });
        const { operation } = await ask(api);
        assert.equal(operation?.kind, kind);
        assert.equal(EndMoveInput.decode(accepted(api).input).migrationId, MIGRATION);
      }
    });

    it(`${method} refuses a server that was not resized, in Nova's words`, async () => {
      for (const migration of [{ status: "error" }, { kind: MigrationKind.MIGRATION_KIND_LIVE_MIGRATION }])
        await assert.rejects(ask(resizedBench({}, migration)), {
          reason: "MIGRATION_NOT_FOUND",
          kind: "invalid",
          message: "Instance has not been resized.",
        });
      await assert.rejects(ask(bench()), {
        reason: "INVALID_STATE",
        message: `Cannot '${action}' instance ${A} while it is in vm_state active`,
      });
      await assert.rejects(ask(bench({ server: locked })), { reason: "INSTANCE_LOCKED" });
    });

    it(`${method} needs the host that it came from`, async () => {
      await assert.rejects(ask(resizedBench({ down: ["h2"] })), { reason: "HOST_DOWN", kind: "refused" });
    });
  }

  it("needs the present host for the way back alone", async () => {
    const ask = (method: (typeof ends)[number][0]) =>
      servers(resizedBench({ down: ["h1"] }))[method](as(member), { serverId: A });
    await assert.rejects(ask("revertServerResize"), { reason: "HOST_DOWN" });
    await ask("confirmServerResize");
  });
});
