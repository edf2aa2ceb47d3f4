import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { ScalarType, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import type { DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../../gen/kilonova/type/v1/block_device.js";
import { SchedulerHints } from "../../../gen/kilonova/type/v1/scheduler_hints.js";
import { ServerGroup } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { ServersServiceDefinition } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import type { AcceptServersRequest } from "../../../gen/kilonova/cells/v1/global_service.js";
import { KeyPair, KeyPairType } from "../../../gen/kilonova/type/v1/key_pair.js";
import type { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { MAX_VERSION } from "../../gateway/microversion/version.js";
import { schedulerHints } from "../../gateway/resources/servers/hints-schema.js";
import type { Actor } from "../../kernel/index.js";
import { legacyImageProperties, typedImageProperties } from "../../model/image-properties.js";
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
} from "../testing/an-api.js";

type Wish = Partial<Omit<CreateServersRequest, "metadata">>;

/** What another tenant has. Everything carries an id of its own, so that a leak shows in what is stored. */
const theirs = {
  image: "aaaaaaaa-0000-4000-8000-000000000001",
  kernel: "aaaaaaaa-0000-4000-8000-000000000002",
  network: "aaaaaaaa-0000-4000-8000-000000000003",
  port: "aaaaaaaa-0000-4000-8000-000000000004",
  securityGroup: "aaaaaaaa-0000-4000-8000-000000000005",
  serverGroup: "aaaaaaaa-0000-4000-8000-000000000006",
  server: "aaaaaaaa-0000-4000-8000-000000000007",
  flavor: "aaaaaaaa-0000-4000-8000-000000000008",
  volume: "aaaaaaaa-0000-4000-8000-000000000009",
  snapshot: "aaaaaaaa-0000-4000-8000-00000000000a",
  keyName: "their-key",
  address: "10.9.9.9",
} as const;

/** An api where all of that exists, and where the caller could boot a plain server. */
function scene(): TestApi {
  const api = aReadyApi();
  const { cells } = api;
  for (const id of [theirs.image, theirs.kernel])
    api.images.set(id, anImage({ id, owner: "p2", visibility: "private" }));
  api.networks.push(aNetwork({ id: theirs.network, projectId: "p2" }));
  api.ports.set(
    theirs.port,
    aPort({
      id: theirs.port,
      projectId: "p2",
      networkId: theirs.network,
      fixedIps: [{ subnetId: "s2", ipAddress: theirs.address }],
    }),
  );
  api.securityGroups.push(aSecurityGroup({ id: theirs.securityGroup, name: "theirs", projectId: "p2" }));
  api.cinder.addVolume({ id: theirs.volume, projectId: "p2", bootable: true });
  api.cinder.addSnapshot({ id: theirs.snapshot, volumeId: theirs.volume });
  cells.putGroup(ServerGroup.fromPartial({ id: theirs.serverGroup, projectId: "p2" }));
  cells.put("cell1", { id: theirs.server, projectId: "p2" });
  cells.flavors.set(theirs.flavor, aFlavor({ id: theirs.flavor, isPublic: false, projectIds: ["p2"] }));
  cells.keyPairs.push(
    KeyPair.fromPartial({ name: theirs.keyName, userId: "u2", type: KeyPairType.KEY_PAIR_TYPE_SSH }),
  );
  return api;
}

const plain = { name: "vm", flavorId: "1", imageId: anImage().id, networks: [own()] };
const create = (api: TestApi, wish: Wish, actor: Actor = member): Promise<unknown> =>
  api.channel.client(ServersServiceDefinition).createServers(as(actor), { ...plain, ...wish });
const accepted = (api: TestApi): AcceptServersRequest | undefined =>
  api.cells.requests.get("acceptServers") as AcceptServersRequest | undefined;

function own(wish: Partial<CreateServersRequest["networks"][number]> = {}) {
  return { networkId: aNetwork().id, ...wish };
}
const hints = (value: Partial<SchedulerHints>): Wish => ({
  schedulerHints: SchedulerHints.fromPartial(value),
});
const device = (value: Partial<BlockDevice>): Wish => ({ blockDevices: [BlockDevice.fromPartial(value)] });

/** How a place where an id may stand answers to another tenant's. */
interface Refused {
  readonly wish: Wish;
  readonly reason: string;
}
/** Why a place holds no id of anybody's. */
type NoId = string;
const NO_ID = "a word of the caller's own";
const KEPT = "kept as text: nothing fetches it";

/** Every text field of the request, by the names in the proto. */
const requestFields: Readonly<Record<string, Refused | NoId>> = {
  client_token: "counts per user",
  name: NO_ID,
  flavor_id: { wish: { flavorId: theirs.flavor }, reason: "FLAVOR_NOT_FOUND" },
  image_id: { wish: { imageId: theirs.image }, reason: "IMAGE_NOT_FOUND" },
  "networks.network_id": {
    wish: { networks: [own({ networkId: theirs.network })] },
    reason: "NETWORK_NOT_FOUND",
  },
  "networks.port_id": {
    wish: { networks: [{ portId: theirs.port }] },
    reason: "PORT_NOT_FOUND",
  },
  // An address in use there would otherwise tell that it is.
  "networks.fixed_ip": {
    wish: { networks: [own({ networkId: theirs.network, fixedIp: theirs.address })] },
    reason: "NETWORK_NOT_FOUND",
  },
  "networks.tag": NO_ID,
  security_groups: {
    wish: { securityGroups: [theirs.securityGroup] },
    reason: "SECURITY_GROUP_NOT_FOUND",
  },
  key_name: { wish: { keyName: theirs.keyName }, reason: "KEY_PAIR_NOT_FOUND" },
  "metadata.key": NO_ID,
  "metadata.value": NO_ID,
  tags: NO_ID,
  user_data: NO_ID,
  availability_zone: "zones are everybody's; hosts in it take a right",
  description: NO_ID,
  access_ip_v4: NO_ID,
  access_ip_v6: NO_ID,
  admin_password: NO_ID,
  hostname: NO_ID,
  trusted_image_certificates: KEPT,
  "files.path": NO_ID,
  "files.contents": NO_ID,
  host: "takes a right",
  hypervisor_hostname: "takes a right",
  ...Object.fromEntries(
    ["group", "same_host", "different_host"].map((name) => [
      `scheduler_hints.${name}`,
      "see the hints below",
    ]),
  ),
  "scheduler_hints.query": "a condition about hosts",
  "scheduler_hints.target_cell": "no filter reads it",
  "scheduler_hints.different_cell": "no filter reads it",
  "scheduler_hints.build_near_host_ip": "no filter reads it",
  "scheduler_hints.cidr": "no filter reads it",
  "scheduler_hints.others.key": NO_ID,
  "scheduler_hints.others.value": "no filter reads it",
  "block_devices.source_id": "see the devices below",
  "block_devices.guest_format": NO_ID,
  "block_devices.device_name": NO_ID,
  "block_devices.device_type": NO_ID,
  "block_devices.disk_bus": NO_ID,
  "block_devices.tag": NO_ID,
  "block_devices.volume_type": "a type that its user does not see makes no volume",
};

/** Every hint that REST knows. */
const hintFields: Readonly<Record<string, Refused | NoId>> = {
  group: { wish: hints({ group: theirs.serverGroup }), reason: "SERVER_GROUP_NOT_FOUND" },
  different_host: {
    wish: hints({ differentHost: [theirs.server] }),
    reason: "HINTED_SERVER_NOT_FOUND",
  },
  same_host: { wish: hints({ sameHost: [theirs.server] }), reason: "HINTED_SERVER_NOT_FOUND" },
  query: "a condition about hosts",
  target_cell: "no filter reads it",
  different_cell: "no filter reads it",
  build_near_host_ip: "no filter reads it",
  cidr: "no filter reads it",
};

/** Every source of a block device. */
const deviceSources: Readonly<Record<string, Refused>> = {
  image: {
    wish: device({
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
      sourceId: theirs.image,
      bootIndex: 0,
    }),
    reason: "BAD_BLOCK_DEVICES",
  },
  volume: {
    wish: device({
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
      sourceId: theirs.volume,
      bootIndex: 0,
    }),
    reason: "BAD_BLOCK_DEVICES",
  },
  snapshot: {
    wish: device({
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT,
      sourceId: theirs.snapshot,
      bootIndex: 0,
    }),
    reason: "BAD_BLOCK_DEVICES",
  },
};

/** The same as the disk to boot from, and as a further one. */
const otherDevices: Readonly<Record<string, Refused>> = Object.fromEntries(
  (
    [
      ["image", BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE, theirs.image],
      ["volume", BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME, theirs.volume],
      ["snapshot", BlockDeviceSource.BLOCK_DEVICE_SOURCE_SNAPSHOT, theirs.snapshot],
    ] as const
  ).flatMap(([name, source, sourceId]) => {
    const theirDevice = {
      source,
      sourceId,
      sizeGib: 1,
      destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
    };
    const root = {
      source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_IMAGE,
      sourceId: anImage().id,
      bootIndex: 0,
    };
    const refusedWith = (devices: Partial<BlockDevice>[], imageId?: string): Refused => ({
      wish: { imageId, blockDevices: devices.map((one) => BlockDevice.fromPartial(one)) },
      reason: "BAD_BLOCK_DEVICES",
    });
    return [
      [`${name}, to boot from`, refusedWith([{ ...theirDevice, bootIndex: 0 }])],
      [`${name}, beside the image`, refusedWith([root, theirDevice], anImage().id)],
    ];
  }),
);

/** Every image property that names something by id. */
const imageFields: Readonly<Record<string, { value: string; reason: string } | NoId>> = {
  kernel_id: { value: theirs.kernel, reason: "IMAGE_NOT_FOUND" },
  ramdisk_id: { value: theirs.image, reason: "IMAGE_NOT_FOUND" },
  img_block_device_mapping: {
    value: JSON.stringify([{ snapshot_id: theirs.snapshot, device_name: "vda" }]),
    reason: "BAD_BLOCK_DEVICES",
  },
  hw_ephemeral_encryption_secret_uuid: KEPT,
  img_signature_certificate_uuid: KEPT,
};

const contract = createFileRegistry(
  fromBinary(
    FileDescriptorSetSchema,
    readFileSync(new URL("../../../gen/descriptors.binpb", import.meta.url)),
  ),
);

/** The way to each field of a message that can hold an id, also inside other messages. */
function textPaths(message: DescMessage, before = ""): string[] {
  return message.fields.flatMap((field): string[] => {
    const path = `${before}${field.name}`;
    if (field.fieldKind === "map") return [`${path}.key`, `${path}.value`];
    if (field.message !== undefined) return textPaths(field.message, `${path}.`);
    return field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES ? [path] : [];
  });
}

const refusals = <T extends object>(table: Readonly<Record<string, T | NoId>>): [string, T][] =>
  Object.entries(table).flatMap(([name, entry]): [string, T][] =>
    typeof entry === "string" ? [] : [[name, entry]],
  );

async function refused(api: TestApi, wish: Wish, reason: string): Promise<void> {
  await assert.rejects(create(api, wish), { reason, kind: "invalid" });
  assert.equal(accepted(api), undefined, "nothing is stored");
}

describe("another tenant's ids in a create", () => {
  it("lists every text field of the request", () => {
    const message = contract.getMessage("kilonova.api.v1.CreateServersRequest");
    assert.ok(message);
    assert.deepEqual(Object.keys(requestFields).sort(), textPaths(message).sort());
  });
  it("lists every hint of the REST schema", () => {
    const { properties } = schedulerHints({ version: MAX_VERSION, legacy: false });
    assert.deepEqual(Object.keys(hintFields).sort(), Object.keys(properties as object).sort());
  });
  it("lists every image property that names something by id", () => {
    const naming = [...typedImageProperties].filter(([, { names }]) => names !== undefined);
    assert.deepEqual(Object.keys(imageFields).sort(), naming.map(([name]) => name).sort());
  });

  for (const [group, table] of [
    ["field", requestFields],
    ["hint", hintFields],
    ["block device from", deviceSources],
    ["volume from", otherDevices],
  ] as const)
    for (const [name, { wish, reason }] of refusals<Refused>(table))
      it(`refuses them in the ${group} ${name}`, () => refused(scene(), wish, reason));

  for (const [name, { value, reason }] of refusals(imageFields)) {
    const spellings = [
      name,
      ...[...legacyImageProperties].filter(([, now]) => now === name).map(([old]) => old),
    ];
    for (const spelling of spellings)
      it(`refuses them in the image property ${spelling}`, async () => {
        const api = scene();
        api.images.set(anImage().id, anImage({ properties: { [spelling]: value } }));
        await refused(api, {}, reason);
      });
  }

  it("refuses them in hints also when they are no UUIDs or stand among own ones", async () => {
    const api = scene();
    api.cells.put("cell1", { id: "bbbbbbbb-0000-4000-8000-000000000001" });
    for (const ids of [["x' OR 1=1"], ["bbbbbbbb-0000-4000-8000-000000000001", theirs.server], ["7"]])
      await refused(api, hints({ differentHost: ids }), "HINTED_SERVER_NOT_FOUND");
    await create(api, hints({ differentHost: ["bbbbbbbb-0000-4000-8000-000000000001"] }));
  });

  it("lets administrators name anybody's", async () => {
    const api = scene();
    api.images.set(anImage().id, anImage({ properties: { kernel_id: theirs.kernel } }));
    await create(api, hints({ sameHost: [theirs.server] }), { ...administrator, projectId: "p1" });
    assert.equal(accepted(api)?.servers[0]?.spec?.kernel?.id, theirs.kernel);
  });
});

describe("kernel and ramdisk of an image", () => {
  const kernelId = "bbbbbbbb-0000-4000-8000-000000000002";
  const ramdiskId = "bbbbbbbb-0000-4000-8000-000000000003";
  const withParts = (properties: Record<string, string>): TestApi => {
    const api = scene();
    for (const [id, checksum] of [
      [kernelId, "k"],
      [ramdiskId, "r"],
    ] as const)
      api.images.set(id, anImage({ id, owner: "p1", visibility: "private", checksum, diskFormat: "aki" }));
    api.images.set(anImage().id, anImage({ properties }));
    return api;
  };
  const specOf = async (api: TestApi): Promise<ServerSpec | undefined> => {
    await create(api, {});
    return accepted(api)?.servers[0]?.spec;
  };

  it("stand resolved in the spec, with what their data is", async () => {
    const api = withParts({ kernel_id: kernelId.toUpperCase(), ramdisk_id: ramdiskId });
    const spec = await specOf(api);
    assert.deepEqual(
      [spec?.kernel, spec?.ramdisk].map((image) => [image?.id, image?.checksum, image?.osHashValue]),
      [
        [kernelId, "k", "h"],
        [ramdiskId, "r", "h"],
      ],
    );
    const { hostInfo } = accepted(api)?.servers[0]?.server ?? {};
    assert.deepEqual([hostInfo?.kernelId, hostInfo?.ramdiskId], [kernelId, ramdiskId]);
  });

  it("are none for an image that says nokernel, or names none", async () => {
    for (const properties of [{ kernel_id: "nokernel", ramdisk_id: theirs.image }, { kernel_id: "" }, {}]) {
      const spec = await specOf(withParts(properties));
      assert.deepEqual([spec?.kernel, spec?.ramdisk], [undefined, undefined]);
    }
  });

  it("must exist and be active", async () => {
    await refused(withParts({ kernel_id: "no uuid" }), {}, "IMAGE_NOT_FOUND");
    const api = withParts({ kernel_id: kernelId });
    api.images.set(kernelId, anImage({ id: kernelId, owner: "p1", status: "deactivated" }));
    await refused(api, {}, "IMAGE_NOT_ACTIVE");
  });
});
