import assert from "node:assert/strict";
import { BlockDevice, BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import { SchedulerHints } from "../../../gen/kilonova/type/v1/scheduler_hints.js";
import { ServerGroup } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { NetworkMode, ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type {
  CreateServersRequest,
  CreateServersResponse,
} from "../../../gen/kilonova/api/v1/servers_service.js";
import type { AcceptServersRequest } from "../../../gen/kilonova/cells/v1/global_service.js";
import { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { DiskConfig, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Actor } from "../../kernel/index.js";
import type { TestApi } from "../testing/an-api.js";
import {
  aFlavor,
  aNetwork,
  aPort,
  aReadyApi,
  aSecurityGroup,
  administrator,
  anImage,
  as,
  member,
  stranger,
} from "../testing/an-api.js";

type Wish = Partial<Omit<CreateServersRequest, "metadata">> & { metadata?: Map<string, string> };

const plain = { name: "vm", flavorId: "1", imageId: anImage().id };
const create = (api: TestApi, wish: Wish = {}, actor: Actor = member): Promise<CreateServersResponse> =>
  api.channel.client(ServersServiceDefinition).createServers(as(actor), { ...plain, ...wish });
const accepted = (api: TestApi): AcceptServersRequest =>
  api.cells.requests.get("acceptServers") as AcceptServersRequest;
const secondNetwork = aNetwork({ id: "11111111-1111-4111-8111-222222222222" });

describe("createServers", () => {
  it("accepts a server with everything decided, in one call", async () => {
    const api = aReadyApi();
    const answer = await create(api, {
      metadata: new Map([["role", "web"]]),
      tags: ["b", "a", "b"],
      userData: Buffer.from("hello"),
      description: "mine",
    });
    const [server] = answer.servers;
    assert.equal(server?.vmState, VmState.VM_STATE_BUILDING);
    assert.equal(server?.taskState, "scheduling");
    assert.deepEqual(server?.tags, ["a", "b"]);
    assert.equal(server?.diskConfig, DiskConfig.DISK_CONFIG_MANUAL);
    assert.deepEqual(server?.securityGroups, ["default"]);
    assert.match(answer.reservationId, /^r-[a-z0-9]{8}$/);
    assert.match(answer.adminPassword ?? "", /^[A-Za-z2-9]{12}$/);
    assert.equal(answer.operations[0]?.serverId, server?.id);
    const [stored] = accepted(api).servers;
    assert.deepEqual(
      stored?.spec?.networks.map((one) => one.networkId),
      [aNetwork().id],
    );
    assert.equal(stored?.secrets?.userData, "aGVsbG8=");
    assert.equal(stored?.secrets?.adminPassword, answer.adminPassword);
    assert.equal(stored?.spec?.image?.diskFormat, "qcow2");
    assert.equal(stored?.spec?.metadata.get("role"), "web");
    assert.equal(accepted(api).actor?.userId, "u1");
  });

  it("numbers the names of several servers and shares one reservation", async () => {
    const api = aReadyApi();
    const { servers } = await create(api, { name: "My VM", minCount: 2, maxCount: 3 });
    assert.deepEqual(
      servers.map((one) => [one.name, one.hostname, one.launchIndex]),
      [
        ["My VM-1", "my-vm-1", 0],
        ["My VM-2", "my-vm-2", 1],
        ["My VM-3", "my-vm-3", 2],
      ],
    );
    assert.equal(new Set(servers.map((one) => one.reservationId)).size, 1);
    assert.equal(accepted(api).minCount, 2);
    assert.deepEqual(
      accepted(api).servers.map(({ spec }) => spec?.batchSize),
      accepted(api).servers.map((_, __, all) => all.length),
    );
  });

  it("hashes equal requests equally, whatever their token and the order of their metadata", async () => {
    const api = aReadyApi();
    await create(api, {
      clientToken: "one",
      metadata: new Map([
        ["a", "1"],
        ["b", "2"],
      ]),
    });
    const first = accepted(api).bodyHash;
    await create(api, {
      clientToken: "two",
      metadata: new Map([
        ["b", "2"],
        ["a", "1"],
      ]),
    });
    assert.deepEqual(accepted(api).bodyHash, first);
    await create(api, {
      clientToken: "three",
      metadata: new Map([
        ["b", "2"],
        ["a", "3"],
      ]),
    });
    assert.notDeepEqual(accepted(api).bodyHash, first);
  });

  it("takes an administrator's zone:host:node apart and keeps the host out of the zone check", async () => {
    const api = aReadyApi();
    api.cells.setServices("cell1", [
      HostService.fromPartial({
        id: "s",
        binary: "nova-compute",
        host: "h1",
        availabilityZone: "nova",
        up: true,
      }),
    ]);
    await create(api, { availabilityZone: "nova:h1", networks: [] }, { ...administrator, projectId: "p1" });
    const { spec } = accepted(api).servers[0] ?? {};
    assert.deepEqual([spec?.availabilityZone, spec?.forcedHost, spec?.forcedNode], ["nova", "h1", ""]);
  });

  it("makes no interface for mode NONE, and none without any network unless AUTO insists", async () => {
    const api = aReadyApi();
    await create(api, { networkMode: NetworkMode.NETWORK_MODE_NONE });
    assert.deepEqual(accepted(api).servers[0]?.spec?.networks, []);
    api.networks.length = 0;
    await create(api);
    assert.deepEqual(accepted(api).servers[0]?.spec?.networks, []);
    await assert.rejects(create(api, { networkMode: NetworkMode.NETWORK_MODE_AUTO }), {
      reason: "NO_NETWORK",
      kind: "invalid",
    });
  });

  it("resolves security groups by name and id", async () => {
    const api = aReadyApi();
    api.securityGroups.push(
      aSecurityGroup(),
      aSecurityGroup({ id: "33333333-3333-4333-8333-444444444444", name: "db" }),
    );
    await create(api, { securityGroups: ["web", "33333333-3333-4333-8333-444444444444"] });
    assert.deepEqual(accepted(api).servers[0]?.spec?.securityGroupNames, ["web", "db"]);
  });

  it("puts the key of the caller's key pair into the server", async () => {
    const api = aReadyApi();
    api.cells.keyPairs.push({
      id: 1n,
      name: "k",
      userId: "u1",
      type: 1,
      publicKey: "ssh-rsa AAAA",
      fingerprint: "",
      createdAt: undefined,
    });
    await create(api, { keyName: "k" });
    assert.equal(accepted(api).servers[0]?.spec?.publicKey, "ssh-rsa AAAA");
  });

  it("stores properties under their present names and canonical, and shows them as the image has them", async () => {
    const api = aReadyApi();
    const properties = { architecture: "amd64", vm_mode: "hv", hw_vif_model: "E1000", note: "mine" };
    api.images.set(anImage().id, anImage({ properties }));
    await create(api);
    const [stored] = accepted(api).servers;
    assert.deepEqual(Object.fromEntries(stored?.spec?.image?.properties ?? []), {
      hw_architecture: "x86_64",
      hw_vm_mode: "hvm",
      hw_vif_model: "e1000",
      note: "mine",
    });
    assert.deepEqual(Object.fromEntries(stored?.server?.image?.properties ?? []), properties);
  });

  it("lets the image insist on a config drive and on its disk configuration", async () => {
    const api = aReadyApi();
    api.images.set(
      anImage().id,
      anImage({ properties: { img_config_drive: "mandatory", auto_disk_config: "True" } }),
    );
    const { servers } = await create(api, { configDrive: false });
    assert.deepEqual([servers[0]?.configDrive, servers[0]?.diskConfig], [true, DiskConfig.DISK_CONFIG_AUTO]);
  });

  it("makes a config drive for whoever asks, and for all where it is forced", async () => {
    for (const [forceConfigDrive, asked, made] of [
      [false, undefined, false],
      [false, true, true],
      [true, undefined, true],
      [true, false, true],
    ] as const) {
      const { servers } = await create(
        aReadyApi({ config: { forceConfigDrive } }),
        asked === undefined ? {} : { configDrive: asked },
      );
      assert.equal(servers[0]?.configDrive, made);
    }
  });

  it("reads nothing and stores nothing when the shape is wrong, and names every field", async () => {
    const api = aReadyApi();
    const wish = {
      name: " x",
      tags: ["a,b"],
      accessIpV4: "::1",
      networks: [{}],
    };
    await assert.rejects(create(api, wish), (error: { reason: string; violations: { field: string }[] }) => {
      assert.equal(error.reason, "INVALID_REQUEST");
      assert.deepEqual(
        error.violations.map((one) => one.field),
        ["name", "networks[0]", "tags[0]", "access_ip_v4"],
      );
      return true;
    });
    assert.deepEqual(api.cells.calls, []);
  });

  const refusals: readonly {
    what: string;
    wish?: Wish;
    prepare?: (api: TestApi) => void;
    actor?: Actor;
    reason: string;
    kind: string;
    message?: string | RegExp;
  }[] = [
    {
      what: "an unknown flavor",
      wish: { flavorId: "9" },
      reason: "FLAVOR_NOT_FOUND",
      kind: "invalid",
      message: "Flavor 9 could not be found.",
    },
    {
      what: "a flavor's name instead of its id",
      wish: { flavorId: "m1.small" },
      reason: "FLAVOR_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "a disabled flavor",
      prepare: (api) => api.cells.flavors.set("1", aFlavor({ disabled: true })),
      reason: "FLAVOR_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "an unknown image",
      prepare: (api) => api.images.clear(),
      reason: "IMAGE_NOT_FOUND",
      kind: "invalid",
      message: "Can not find requested image",
    },
    {
      what: "somebody else's private image",
      prepare: (api) => api.images.set(anImage().id, anImage({ visibility: "private" })),
      reason: "IMAGE_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "no image at all",
      wish: { imageId: undefined },
      reason: "IMAGE_REQUIRED",
      kind: "invalid",
      message: "Missing imageRef attribute",
    },
    {
      what: "an image that is not active",
      prepare: (api) => api.images.set(anImage().id, anImage({ status: "queued" })),
      reason: "IMAGE_NOT_ACTIVE",
      kind: "invalid",
      message: `Image ${anImage().id} is not active.`,
    },
    ...[
      { hw_video_model: "bogus" },
      { os_shutdown_timeout: "abc" },
      { hw_disk_bus: "bogus" },
      { architecture: "bogus" },
    ].map((properties) => ({
      what: `an image with ${Object.entries(properties)[0]?.join("=")}`,
      prepare: (api: TestApi) => api.images.set(anImage().id, anImage({ properties })),
      reason: "BAD_IMAGE_PROPERTIES",
      kind: "invalid",
      message: /^Invalid image metadata\. Error: /,
    })),
    {
      what: "an image of an encrypted volume",
      prepare: (api) =>
        api.images.set(anImage().id, anImage({ properties: { cinder_encryption_key_id: "k" } })),
      reason: "IMAGE_UNACCEPTABLE",
      kind: "invalid",
    },
    {
      what: "an image that needs more memory",
      prepare: (api) => api.images.set(anImage().id, anImage({ minRamMib: 513 })),
      reason: "FLAVOR_MEMORY_TOO_SMALL",
      kind: "invalid",
      message: "Flavor's memory is too small for requested image.",
    },
    {
      what: "an image larger than the disk",
      prepare: (api) => api.images.set(anImage().id, anImage({ sizeBytes: 2 ** 30 + 1 })),
      reason: "FLAVOR_DISK_SMALLER_THAN_IMAGE",
      kind: "invalid",
      message:
        "Flavor's disk is too small for requested image. Flavor disk is 1073741824 bytes, image is 1073741825 bytes.",
    },
    {
      what: "an image that wants a larger disk",
      prepare: (api) => api.images.set(anImage().id, anImage({ minDiskGib: 2 })),
      reason: "FLAVOR_DISK_SMALLER_THAN_MIN_DISK",
      kind: "invalid",
    },
    {
      what: "a flavor without disk size",
      prepare: (api) => api.cells.flavors.set("1", aFlavor({ rootGib: 0 })),
      reason: "ZERO_DISK_FLAVOR",
      kind: "forbidden",
      message: "Only volume-backed servers are allowed for flavors with zero disk.",
    },
    {
      what: "an unknown key pair",
      wish: { keyName: "nope" },
      reason: "KEY_PAIR_NOT_FOUND",
      kind: "invalid",
      message: "Invalid key_name provided.",
    },
    {
      what: "several possible networks",
      prepare: (api) => api.networks.push(secondNetwork),
      reason: "NETWORK_AMBIGUOUS",
      kind: "conflict",
    },
    {
      what: "an unknown network",
      wish: { networks: [{ networkId: secondNetwork.id }] },
      reason: "NETWORK_NOT_FOUND",
      kind: "invalid",
      message: `Network ${secondNetwork.id} could not be found.`,
    },
    {
      what: "somebody else's network",
      prepare: (api) => api.networks.push({ ...secondNetwork, projectId: "p2" }),
      wish: { networks: [{ networkId: secondNetwork.id }] },
      reason: "NETWORK_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "a network without subnet",
      prepare: (api) => {
        api.networks[0] = aNetwork({ subnetIds: [] });
      },
      reason: "NETWORK_WITHOUT_SUBNET",
      kind: "invalid",
    },
    {
      what: "an external network",
      prepare: (api) => {
        api.networks[0] = aNetwork({ external: true });
      },
      reason: "EXTERNAL_NETWORK",
      kind: "forbidden",
    },
    {
      what: "an unknown port",
      wish: { networks: [{ portId: aPort().id }] },
      reason: "PORT_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "a port in use",
      prepare: (api) => api.ports.set(aPort().id, aPort({ deviceId: "x" })),
      wish: { networks: [{ portId: aPort().id }] },
      reason: "PORT_IN_USE",
      kind: "conflict",
      message: `Port ${aPort().id} is still in use.`,
    },
    {
      what: "a port without address",
      prepare: (api) => api.ports.set(aPort().id, aPort({ fixedIps: [] })),
      wish: { networks: [{ portId: aPort().id }] },
      reason: "PORT_WITHOUT_ADDRESS",
      kind: "invalid",
    },
    {
      what: "one port for several servers",
      wish: { maxCount: 2, networks: [{ portId: aPort().id }] },
      reason: "PORTS_AND_MAX_COUNT",
      kind: "invalid",
    },
    {
      what: "one address for several servers",
      wish: {
        maxCount: 2,
        networks: [{ networkId: aNetwork().id, fixedIp: "10.0.0.9" }],
      },
      reason: "FIXED_IP_AND_MAX_COUNT",
      kind: "invalid",
    },
    {
      what: "a chosen address on somebody else's shared network",
      prepare: (api) => api.networks.push({ ...secondNetwork, projectId: "p2", shared: true }),
      wish: { networks: [{ networkId: secondNetwork.id, fixedIp: "10.0.0.1" }] },
      reason: "FIXED_IP_FORBIDDEN",
      kind: "forbidden",
    },
    {
      what: "an address in use",
      prepare: (api) => api.ports.set("p", aPort()),
      wish: { networks: [{ networkId: aNetwork().id, fixedIp: "10.0.0.9" }] },
      reason: "FIXED_IP_IN_USE",
      kind: "invalid",
    },
    {
      what: "an unknown security group",
      wish: { securityGroups: ["web"] },
      reason: "SECURITY_GROUP_NOT_FOUND",
      kind: "invalid",
      message: "Security group web not found for project p1.",
    },
    {
      what: "an ambiguous security group",
      prepare: (api) => api.securityGroups.push(aSecurityGroup(), aSecurityGroup({ id: "x" })),
      wish: { securityGroups: ["web"] },
      reason: "SECURITY_GROUP_AMBIGUOUS",
      kind: "conflict",
    },
    {
      what: "an unknown server group",
      wish: { schedulerHints: SchedulerHints.fromPartial({ group: "00000000-0000-4000-8000-0000000000aa" }) },
      reason: "SERVER_GROUP_NOT_FOUND",
      kind: "invalid",
      message: "Instance group 00000000-0000-4000-8000-0000000000aa could not be found.",
    },
    {
      what: "a server group of another project",
      prepare: (api) =>
        api.cells.putGroup(
          ServerGroup.fromPartial({ id: "00000000-0000-4000-8000-0000000000aa", projectId: "p2" }),
        ),
      wish: { schedulerHints: SchedulerHints.fromPartial({ group: "00000000-0000-4000-8000-0000000000aa" }) },
      reason: "SERVER_GROUP_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "a server group that is no UUID",
      wish: { schedulerHints: SchedulerHints.fromPartial({ group: "g" }) },
      reason: "BAD_SERVER_GROUP_HINT",
      kind: "invalid",
      message: "Server group scheduler hint must be a UUID.",
    },
    {
      what: "a hint that has a field of its own among the others",
      wish: {
        schedulerHints: SchedulerHints.fromPartial({ others: new Map([["group", { values: ["g"] }]]) }),
      },
      reason: "INVALID_REQUEST",
      kind: "invalid",
      message: /scheduler_hints\.others\["group"\]/,
    },
    {
      what: "an optional text that is empty",
      wish: { keyName: "" },
      reason: "INVALID_REQUEST",
      kind: "invalid",
      message: /key_name.*leave it out/,
    },
    {
      what: "a zone that is not there",
      wish: { availabilityZone: "mars" },
      reason: "ZONE_NOT_AVAILABLE",
      kind: "invalid",
      message: "The requested availability zone is not available",
    },
    {
      what: "too many colons in the zone",
      wish: { availabilityZone: "a:b:c:d" },
      actor: administrator,
      reason: "BAD_AVAILABILITY_ZONE",
      kind: "invalid",
    },
    {
      what: "a forced host by a member",
      wish: { availabilityZone: "nova:h1" },
      reason: "FORBIDDEN",
      kind: "forbidden",
      message: "Policy doesn't allow os_compute_api:servers:create:forced_host to be performed.",
    },
    {
      what: "a wanted host by a member",
      wish: { host: "h1" },
      reason: "FORBIDDEN",
      kind: "forbidden",
      message: "Policy doesn't allow compute:servers:create:requested_destination to be performed.",
    },
    {
      what: "an unknown host",
      wish: { host: "h1", networkMode: NetworkMode.NETWORK_MODE_NONE },
      actor: administrator,
      reason: "HOST_NOT_FOUND",
      kind: "invalid",
      message: "Compute host h1 could not be found.",
    },
    { what: "readers", actor: { ...member, roles: ["reader"] }, reason: "FORBIDDEN", kind: "forbidden" },
    {
      what: "a private flavor of others",
      prepare: (api) => api.cells.flavors.set("1", aFlavor({ isPublic: false, projectIds: ["p1"] })),
      actor: stranger,
      reason: "FLAVOR_NOT_FOUND",
      kind: "invalid",
    },
    {
      what: "user data that is too long",
      wish: { userData: Buffer.alloc(49_150) },
      reason: "INVALID_REQUEST",
      kind: "invalid",
      message: /user_data.*49149 bytes/,
    },
    {
      what: "more than at most",
      wish: { minCount: 3, maxCount: 2 },
      reason: "MIN_ABOVE_MAX",
      kind: "invalid",
      message: "min_count must be <= max_count",
    },
    {
      what: "one host name for two",
      wish: { hostname: "h", maxCount: 2 },
      reason: "AMBIGUOUS_HOSTNAME",
      kind: "invalid",
    },
    {
      what: "too much metadata",
      prepare: (api) => api.cells.limits.set("metadata_items", 1),
      wish: {
        metadata: new Map([
          ["a", ""],
          ["b", ""],
        ]),
      },
      reason: "TOO_MANY_METADATA_ITEMS",
      kind: "quota",
      message: "Maximum number of metadata items exceeds 1",
    },
    {
      what: "too many files",
      prepare: (api) => api.cells.limits.set("injected_files", 0),
      wish: { files: [{ path: "/a", contents: Buffer.from("x") }] },
      reason: "TOO_MANY_FILES",
      kind: "quota",
    },
    {
      what: "a file that is too long",
      prepare: (api) => api.cells.limits.set("injected_file_content_bytes", 1),
      wish: { files: [{ path: "/a", contents: Buffer.from("xy") }] },
      reason: "FILE_TOO_LONG",
      kind: "quota",
    },
    {
      what: "volumes",
      wish: {
        blockDevices: [
          BlockDevice.fromPartial({
            source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
            sourceId: "v",
            bootIndex: 0,
          }),
        ],
      },
      reason: "BAD_BLOCK_DEVICES",
      kind: "invalid",
    },
    {
      what: "automatic disks where the image forbids them",
      prepare: (api) =>
        api.images.set(anImage().id, anImage({ properties: { auto_disk_config: "disabled" } })),
      wish: { diskConfig: DiskConfig.DISK_CONFIG_AUTO },
      reason: "DISK_CONFIG_DISABLED",
      kind: "invalid",
    },
  ];
  for (const { what, wish = {}, prepare, actor = member, reason, kind, message } of refusals) {
    it(`refuses ${what}`, async () => {
      const api = aReadyApi();
      prepare?.(api);
      await assert.rejects(create(api, wish, actor), {
        reason,
        kind,
        ...(message === undefined ? {} : { message }),
      });
      assert.equal(accepted(api), undefined);
    });
  }
});
