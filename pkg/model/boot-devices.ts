import {
  BlockDevice,
  BlockDeviceDestination,
  BlockDeviceSource,
} from "../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../gen/kilonova/type/v1/flavor.js";
import type { ServerSpec } from "../../gen/kilonova/type/v1/server_spec.js";
import { diskLetters } from "./disk-letters.js";

const { BLOCK_DEVICE_SOURCE_BLANK: BLANK, BLOCK_DEVICE_SOURCE_IMAGE: IMAGE } = BlockDeviceSource;
const { BLOCK_DEVICE_DESTINATION_LOCAL: LOCAL, BLOCK_DEVICE_DESTINATION_VOLUME: VOLUME } =
  BlockDeviceDestination;

/** What of a spec says which disks a server is built with. */
export type DevicesSpec = Pick<ServerSpec, "flavor" | "image" | "blockDevices">;

/** A disk that a server is built with. */
export interface BootDevice {
  readonly device: BlockDevice;
  /** Which disk of the guest it is; ephemeral disks are counted from 0, in their order. */
  readonly role: "root" | "ephemeral" | "swap" | "volume";
  /** Such as /dev/vda. */
  readonly name: string;
}

export const isVolume = ({ destination }: BlockDevice): boolean => destination === VOLUME;
const isLocal = (device: BlockDevice): boolean => !isVolume(device);
/** A blank disk on the host, as swap. */
export const isSwap = (device: BlockDevice): boolean =>
  isLocal(device) && device.source === BLANK && device.guestFormat === "swap";
/** A blank disk on the host, for anything else. */
export const isEphemeral = (device: BlockDevice): boolean =>
  isLocal(device) && device.source === BLANK && device.guestFormat !== "swap";
/** What the guest boots from. */
export const rootOf = (devices: readonly BlockDevice[]): BlockDevice | undefined =>
  devices.find(({ bootIndex }) => bootIndex === 0);

/** Disks that image and flavor give, for requests and records that say nothing else. */
export function usualDevices({
  flavor,
  image,
}: {
  readonly flavor: Pick<Flavor, "ephemeralGib" | "swapMib"> | undefined;
  readonly image: { readonly id: string } | undefined;
}): BlockDevice[] {
  const local = (device: Partial<BlockDevice>): BlockDevice =>
    BlockDevice.fromPartial({ destination: LOCAL, deleteOnTermination: true, deviceType: "disk", ...device });
  const { ephemeralGib = 0, swapMib = 0 } = flavor ?? {};
  return [
    ...(image === undefined ? [] : [local({ source: IMAGE, sourceId: image.id, bootIndex: 0 })]),
    ...(ephemeralGib > 0 ? [local({ source: BLANK, sizeGib: ephemeralGib })] : []),
    ...(swapMib > 0 ? [local({ source: BLANK, sizeMib: swapMib, guestFormat: "swap" })] : []),
  ];
}

/** All disks that a server is built with. */
export const devicesOf = (spec: DevicesSpec): readonly BlockDevice[] =>
  spec.blockDevices.length === 0 ? usualDevices(spec) : spec.blockDevices;

/** Whether the guest boots from a volume, and has no root disk on its host. */
export const isVolumeBacked = (spec: Pick<ServerSpec, "blockDevices">): boolean => {
  const root = rootOf(spec.blockDevices);
  return root !== undefined && isVolume(root);
};

const ORDER: readonly BootDevice["role"][] = ["root", "ephemeral", "swap", "volume"];

/**
 * The disks of a server with their names: root disk, ephemeral disks, swap, volumes. Names that were wished
 * for do not count: guests choose their own.
 * @param rootName  such as /dev/vda; names of other disks on its bus go on behind it
 * @source nova libvirt: default_device_names_for_instance
 */
export function bootDevices(spec: DevicesSpec, rootName = "/dev/vda"): BootDevice[] {
  const all = devicesOf(spec).map((device) => ({ device, role: roleOf(device) }));
  const ordered = ORDER.flatMap((role) => all.filter((one) => one.role === role));
  const taken = new Set<string>();
  return ordered.map(({ device, role }) => {
    const name = role === "root" ? rootName : nextName(prefixOf(device) ?? rootName.slice(0, -1), taken);
    taken.add(name);
    return { device, role, name };
  });
}

/** Name of the disk that a server boots from, by its bus. */
export const rootNameOf = (devices: readonly BlockDevice[]): string =>
  `${prefixOf(rootOf(devices)) ?? "/dev/vd"}a`;

function roleOf(device: BlockDevice): BootDevice["role"] {
  if (device.bootIndex === 0) return "root";
  if (isVolume(device)) return "volume";
  return isSwap(device) ? "swap" : "ephemeral";
}

const PREFIXES: ReadonlyMap<string, string> = new Map([
  ["virtio", "/dev/vd"],
  ["scsi", "/dev/sd"],
  ["sata", "/dev/sd"],
  ["usb", "/dev/sd"],
  ["ide", "/dev/hd"],
  ["fdc", "/dev/fd"],
]);

/** What names of a device's bus begin with; undefined for that of the root disk. */
const prefixOf = (device: BlockDevice | undefined): string | undefined => PREFIXES.get(device?.diskBus ?? "");

function nextName(prefix: string, taken: ReadonlySet<string>): string {
  for (let index = 0; ; index++) {
    const name = prefix + diskLetters(index);
    if (!taken.has(name)) return name;
  }
}
