import type {
  InstancePort,
  InstanceRecord,
  PortAddress,
} from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { ServerSecrets, ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import { bootDevices, isVolume, isVolumeBacked } from "../../model/boot-devices.js";
import type { BootDevice } from "../../model/boot-devices.js";
import { guestName } from "../../model/guest-name.js";
import { canonicalImageProperties, hasGuestAgent } from "../../model/image-properties.js";
import type { GuestData, GuestDevice, GuestNetwork, GuestSubnet } from "../guestdata/index.js";
import { configDriveFiles, ec2IdsFor } from "../guestdata/index.js";
import type { VendorDocuments } from "../metadata/index.js";
import type { EphemeralDisk, GuestHardware, GuestInterface, GuestSpec, PreparedImage } from "../driver.js";

const DEFAULT_MTU = 1450;

/**
 * Record → what a guest may learn about itself. @param secrets absent for the metadata service: the password
 * never goes over the network
 */
export function toGuestData(
  instance: InstanceRecord,
  options: {
    readonly domain: string;
    readonly userData: string;
    readonly adminPassword?: string;
    /** Whether tags of the volumes that it is built with are told: those that it has now, its host knows. */
    readonly withVolumes?: boolean;
  },
): GuestData {
  const server = instance.server;
  const spec = instance.spec;
  if (!server || !spec) throw new Error("instance record without server or spec");
  return {
    uuid: server.id,
    hostname: server.hostname,
    domain: options.domain,
    name: server.name,
    projectId: server.projectId,
    launchIndex: server.launchIndex,
    availabilityZone: server.availabilityZone,
    keys: spec.publicKey
      ? [{ name: spec.keyName, type: spec.keyType === "x509" ? "x509" : "ssh", data: spec.publicKey }]
      : [],
    metadata: server.metadata,
    ...(options.adminPassword ? { adminPass: options.adminPassword } : {}),
    ...(options.userData ? { userData: Buffer.from(options.userData, "base64") } : {}),
    files: spec.files.map((f) => ({ path: f.path, contents: f.contents })),
    networks: instance.ports.map(toGuestNetwork),
    securityGroups: server.securityGroups,
    reservationId: server.reservationId,
    instanceType: server.flavor?.name ?? "",
    ec2Ids: ec2IdsFor({ instanceNumber: Number(instance.number), ...imageIds(spec) }),
    blockDeviceMapping: blockDeviceMapping(server, spec),
    ...floatingIpOf(server),
    devices: [
      ...instance.ports
        .filter(({ tag }) => tag !== "")
        .map(({ macAddress, tag }): GuestDevice => {
          return { type: "nic", bus: "none", address: "none", mac: macAddress, tags: [tag] };
        }),
      ...taggedDisks(server, spec, options.withVolumes === true),
    ],
    ...(instance.serverPassword ? { password: instance.serverPassword } : {}),
  };
}

function imageIds({ image, kernel, ramdisk }: ServerSpec): {
  imageId?: string;
  kernelId?: string;
  ramdiskId?: string;
} {
  return {
    ...(image ? { imageId: image.id } : {}),
    ...(kernel ? { kernelId: kernel.id } : {}),
    ...(ramdisk ? { ramdiskId: ramdisk.id } : {}),
  };
}

function floatingIpOf({ addresses }: Server): { floatingIp?: string } {
  const found = addresses.find(({ type, version }) => type === "floating" && version === 4);
  return found ? { floatingIp: found.address } : {};
}

/** Names of disks by EC2's words. @source nova block_device.instance_block_mapping */
function blockDeviceMapping(server: Server, spec: ServerSpec): ReadonlyMap<string, string> {
  const root = rootNameOf(server);
  const disks = disksOf(server, spec);
  const named = (role: BootDevice["role"], name: (index: number) => string): [string, string][] =>
    disks.filter((disk) => disk.role === role).map((disk, index) => [name(index), disk.name]);
  const volumes = disks.filter(({ device }) => isVolume(device)).map((disk) => disk.name);
  return new Map([
    ["ami", root.replace(/^\/dev\//, "")],
    ["root", root],
    ...named("ephemeral", (index) => `ephemeral${index}`),
    ...named("swap", () => "swap"),
    ...volumes.sort().map((name, index): [string, string] => [`ebs${index}`, name]),
  ]);
}

const rootNameOf = ({ hostInfo }: Server): string => hostInfo?.rootDeviceName || "/dev/vda";

const disksOf = (server: Server, { image, blockDevices }: ServerSpec): BootDevice[] =>
  bootDevices({ flavor: server.flavor, image, blockDevices }, rootNameOf(server));

/** Disks that carry a user's tag; their serial numbers are those that the guest sees. */
function taggedDisks(server: Server, spec: ServerSpec, withVolumes: boolean): GuestDevice[] {
  let ephemerals = 0;
  return disksOf(server, spec).flatMap(({ device, role, name }): GuestDevice[] => {
    const local = role === "ephemeral" ? `ephemeral${ephemerals++}` : role;
    const serial = isVolume(device) ? volumeIdOf(device) : local;
    if (device.tag === undefined || (isVolume(device) && !withVolumes)) return [];
    const shown = serial === undefined ? {} : { serial };
    return [{ type: "disk", bus: "none", address: "none", path: name, ...shown, tags: [device.tag] }];
  });
}

/** Undefined for a volume that is made with the server. */
const volumeIdOf = ({ source, sourceId }: BlockDevice): string | undefined =>
  source === BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME ? sourceId : undefined;

function toGuestNetwork(port: InstancePort): GuestNetwork {
  return {
    portId: port.portId,
    networkId: port.networkId,
    mac: port.macAddress,
    mtu: port.mtu || DEFAULT_MTU,
    ...(port.vifType ? { vifType: port.vifType } : {}),
    subnets: port.addresses.map((a) => ({
      subnetId: a.subnetId,
      version: a.version === 6 ? 6 : 4,
      ip: a.ipAddress,
      prefix: a.prefixLength,
      dhcp: a.dhcpEnabled,
      ...addressModeOf(a),
      ...(a.gatewayIp ? { gateway: a.gatewayIp } : {}),
      dns: a.dnsServers,
      routes: a.hostRoutes.map((r) => ({ destination: r.destination, nextHop: r.nexthop })),
    })),
  };
}

const addressModes = ["slaac", "dhcpv6-stateful", "dhcpv6-stateless"] as const;

function addressModeOf({ ipv6AddressMode }: PortAddress): Pick<GuestSubnet, "ipv6AddressMode"> {
  const mode = addressModes.find((known) => known === ipv6AddressMode);
  return mode ? { ipv6AddressMode: mode } : {};
}

/** A kernel and its initial RAM disk on this host. */
export interface PreparedKernel {
  readonly kernel: PreparedImage;
  readonly ramdisk: PreparedImage | undefined;
}

/** @param properties  of the image that names the kernel */
export const kernelOf = (
  kernel: PreparedKernel | undefined,
  properties: ReadonlyMap<string, string>,
): GuestSpec["kernel"] =>
  kernel && {
    kernelPath: kernel.kernel.path,
    ramdiskPath: kernel.ramdisk?.path,
    commandLine: properties.get("os_command_line") ?? "root=/dev/vda console=tty0 console=ttyS0",
  };

/** What a config drive is made of, besides the record. */
export interface ConfigDriveOptions {
  readonly domain: string;
  /** Entropy for the guest; the same at each call for one guest, so that `define` can be repeated. */
  readonly randomSeed: Uint8Array;
  readonly vendorDocuments: VendorDocuments;
}

/** The files of the server's config drive; undefined when it has none. */
export const configDriveOf = (
  instance: InstanceRecord,
  secrets: ServerSecrets | undefined,
  { domain, randomSeed, vendorDocuments }: ConfigDriveOptions,
): GuestSpec["configDrive"] =>
  instance.server?.configDrive
    ? configDriveFiles(
        {
          ...toGuestData(instance, {
            domain,
            userData: secrets?.userData ?? "",
            adminPassword: secrets?.adminPassword ?? "",
            withVolumes: true,
          }),
          ...vendorDocuments,
        },
        randomSeed,
      )
    : undefined;

/** Record and prepared images → what the driver builds. */
export function toGuestSpec(
  instance: InstanceRecord,
  secrets: ServerSecrets | undefined,
  options: ConfigDriveOptions & {
    readonly rootImage: PreparedImage | undefined;
    readonly kernel: PreparedKernel | undefined;
    readonly socketPathOf: (portId: string) => string;
  },
): GuestSpec {
  const { server, spec } = instance;
  const flavor = server?.flavor;
  if (!server || !spec || !flavor) throw new Error("instance record without server, spec or flavor");
  const properties = canonicalImageProperties(spec.image?.properties ?? spec.volumeImageProperties);
  const disks = disksOf(server, spec);
  return {
    instanceUuid: server.id,
    instanceName: guestName(instance.number),
    hostname: server.hostname,
    vcpus: flavor.vcpus,
    memoryMib: flavor.memoryMib,
    rootGib: isVolumeBacked(spec) ? 0 : flavor.rootGib,
    ephemerals: disks.filter(({ role }) => role === "ephemeral").map(({ device }) => ephemeralOf(device)),
    swapMib: disks.find(({ role }) => role === "swap")?.device.sizeMib ?? 0,
    rootImage: isVolumeBacked(spec) ? undefined : options.rootImage,
    kernel: kernelOf(options.kernel, properties),
    interfaces: instance.ports.map((port) =>
      toGuestInterface(port, options.socketPathOf, properties.get("hw_vif_model")),
    ),
    configDrive: configDriveOf(instance, secrets, options),
    hardware: hardwareOf(properties),
  };
}

const ephemeralOf = ({ sizeGib = 0, diskBus, guestFormat }: BlockDevice): EphemeralDisk => ({
  gib: sizeGib,
  ...(diskBus === undefined ? {} : { bus: diskBus }),
  ...(guestFormat === undefined ? {} : { format: guestFormat }),
});

/** @param model  of the image, for ports that name none */
export const toGuestInterface = (
  { portId, macAddress, mtu, vifModel }: InstancePort,
  socketPathOf: (portId: string) => string,
  model = "",
): GuestInterface => ({
  portId,
  macAddress,
  mtu: mtu || DEFAULT_MTU,
  model: vifModel || model || "virtio",
  socketPath: socketPathOf(portId),
});

const hardwareProperties = [
  ["machineType", "hw_machine_type"],
  ["diskBus", "hw_disk_bus"],
  ["cpuModel", "hw_cpu_model"],
  ["architecture", "hw_architecture"],
] as const;

/** What an image's properties say of the machine. @param properties  canonical */
export function hardwareOf(properties: ReadonlyMap<string, string>): GuestHardware {
  return {
    ...Object.fromEntries(
      hardwareProperties.flatMap(([key, property]) => {
        const value = properties.get(property);
        return value ? [[key, value]] : [];
      }),
    ),
    ...(hasGuestAgent(properties) ? { guestAgent: true } : {}),
  };
}
