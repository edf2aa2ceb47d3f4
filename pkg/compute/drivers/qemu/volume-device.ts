import type { GuestVolume, TaggedVolume } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { freeSlot } from "./definition.js";
import type { Definition, StoredVolume } from "./definition.js";
import { volumeName } from "./guest-paths.js";
import { diskBus } from "./hardware.js";
import type { DiskBus } from "./hardware.js";
import { machineFamily } from "./machine-family.js";
import { rootPort } from "./nic.js";

/** Under what name a volume is served to its guest. */
export const EXPORT = "volume";
/** A process that serves a volume may be away so long before the guest hears of errors. */
export const RECONNECT_S = 86_400;
/** On SCSI, behind whatever disks the guest has of its own. */
const FIRST_SCSI_UNIT = 8;
const LAST_SCSI_UNIT = 254;
/** The other PC has 32 places, which its other devices take from the first on. */
const FIRST_PC_PLACE = 14;
const LAST_PC_PLACE = 31;
/** Buses whose devices can come and go while the guest runs. */
const HOT: ReadonlySet<string> = new Set(["virtio", "scsi", "usb"]);

/** Properties of a device in QEMU, for its command line and its monitor alike. */
export type DeviceProperties = Readonly<Record<string, string | number | boolean>>;

/** Id of a volume's device in QEMU. */
export const volumeDeviceId = (volumeId: string): string => `disk-${volumeId}`;

/**
 * A guest with one more volume, in a place of its own that it keeps.
 * @throws UNSUPPORTED_HARDWARE, DEVICE_SLOTS_EXHAUSTED
 */
export function withVolume(
  definition: Definition,
  volume: Omit<GuestVolume, "connection"> & Pick<StoredVolume, "readOnly" | "shared">,
): Definition {
  const { volumeId, deviceName, deviceType, readOnly, shared } = volume;
  const { instanceUuid } = definition.spec;
  if (deviceType !== "disk" && deviceType !== "cdrom")
    throw DriverErrors.UNSUPPORTED_HARDWARE({ property: "device_type", value: deviceType });
  const bus = volume.bus ?? usualBus(definition, deviceType);
  const kind = busOf(definition, bus);
  if (deviceType === "cdrom" && kind.cdrom === undefined)
    throw DriverErrors.UNSUPPORTED_HARDWARE({ property: "disk_bus", value: bus });
  const former = definition.formerPlaces?.find((one) => one.volumeId === volumeId && one.bus === bus);
  const place = placeOn(definition, bus, kind, former);
  if (place === undefined) throw DriverErrors.DEVICE_SLOTS_EXHAUSTED({ instanceUuid });
  const added: StoredVolume = {
    volumeId,
    knownAs: null,
    deviceName,
    deviceType,
    bus,
    wantedBus: volume.bus ?? null,
    bootIndex: volume.bootIndex ?? null,
    readOnly,
    shared,
    device: freeId(definition, volumeId),
    tag: volume.tag ?? null,
    ...place,
  };
  return { ...definition, volumes: [...definition.volumes, added] };
}

export const withoutVolume = (definition: Definition, volumeId: string): Definition => ({
  ...definition,
  volumes: definition.volumes.filter((one) => one.volumeId !== volumeId),
});

/** With the volumes that another definition has, each where this one has room for it. */
export function withVolumesOf({ volumes }: Definition, made: Definition): Definition {
  const others: Definition = { ...made, volumes: [] };
  return volumes.reduce((so, { wantedBus, bootIndex, tag, ...volume }) => {
    const again = {
      ...volume,
      bus: wantedBus ?? undefined,
      bootIndex: bootIndex ?? undefined,
      tag: tag ?? undefined,
    };
    try {
      return withVolume(so, again);
    } catch (error) {
      // The bus that it was asked on is not one of this machine.
      if (wantedBus === null) throw error;
      return withVolume(so, { ...again, bus: undefined });
    }
  }, others);
}

/**
 * Which of its volumes the guest has at its next start: a rescued one has none, unless its disks all stay.
 */
export const volumesAtStart = ({ rescue, volumes }: Definition): readonly StoredVolume[] =>
  rescue !== null && rescue.stable === null ? [] : volumes;

/** Another volume may have come into the place of this one once, and still have its device. */
function freeId({ volumes }: Definition, volumeId: string): string {
  const usual = volumeDeviceId(volumeId);
  for (let n = 1, id = usual; ; id = `${usual}-${++n}`)
    if (!volumes.some(({ device }) => device === id)) return id;
}

/** Under which everybody else knows a volume. */
const idOf = ({ volumeId, knownAs }: StoredVolume): string => knownAs ?? volumeId;

/** Under which a guest keeps the volume that everybody else knows by this id; the same where it has none. */
export const keyOf = ({ volumes }: Definition, volumeId: string): string =>
  volumes.find((one) => idOf(one) === volumeId)?.volumeId ?? volumeId;

/** A guest whose volume is known by another id. @returns undefined when it has no such volume */
export function withKnownAs(
  definition: Definition,
  volumeId: string,
  newVolumeId: string,
): Definition | undefined {
  const found = definition.volumes.find((one) => idOf(one) === volumeId);
  if (found === undefined) return undefined;
  const knownAs = found.volumeId === newVolumeId ? null : newVolumeId;
  return {
    ...definition,
    volumes: definition.volumes.map((one) => (one === found ? { ...one, knownAs } : one)),
  };
}

/** Whether the volume can come and go while the guest runs. */
export const isHot = ({ bus, deviceType }: StoredVolume): boolean => deviceType === "disk" && HOT.has(bus);

/** What the volume's bus needs beside it. */
export const volumeControllers = (definition: Definition, { bus }: StoredVolume): readonly string[] =>
  busOf(definition, bus).controllers;

/** Where QEMU gets the volume's data. */
export const volumeNode = (
  { volumeId, readOnly }: StoredVolume,
  socket: string,
): Readonly<Record<string, unknown>> => ({
  driver: "nbd",
  "node-name": volumeName(volumeId),
  server: { type: "unix", path: socket },
  export: EXPORT,
  "reconnect-delay": RECONNECT_S,
  ...(readOnly ? { "read-only": true } : { discard: "unmap" }),
});

/** A volume as QEMU's device. */
export function volumeDevice(definition: Definition, volume: StoredVolume): DeviceProperties {
  const { volumeId, knownAs, bus, slot, unit, device, shared, bootIndex, deviceType } = volume;
  const kind = busOf(definition, bus);
  const described = (deviceType === "cdrom" && kind.cdrom ? kind.cdrom : kind.device)(unit ?? 0);
  const [driver = "", ...pairs] = described.split(",");
  const properties = pairs.map((pair): [string, string | number] => {
    const [key = "", value = ""] = pair.split("=");
    return [key, /^\d+$/.test(value) ? Number(value) : value];
  });
  return {
    driver,
    ...Object.fromEntries(properties),
    id: device,
    drive: volumeName(volumeId),
    serial: knownAs ?? volumeId,
    ...(shared ? { "share-rw": true } : {}),
    ...(slot === null ? {} : { bus: rootPort(slot) }),
    ...(bus === "virtio" && unit !== null ? { bus: "pci.0", addr: `0x${unit.toString(16)}` } : {}),
    ...(bus === "usb" && unit !== null ? { port: String(unit + 1) } : {}),
    ...(bootIndex === null || definition.rescue !== null ? {} : { bootindex: bootIndex + 1 }),
  };
}

/** Volumes that carry a tag, as the guest finds them; firmware numbers buses in the order of their ports. */
export const taggedVolumes = (definition: Definition): readonly TaggedVolume[] =>
  volumesAtStart(definition).flatMap((volume) => {
    const { deviceName, tag, bus, slot, unit } = volume;
    if (tag === null) return [];
    const pci = slot === null ? `00:${hex(unit ?? 0)}` : `${hex(slot + 1)}:00`;
    const at =
      bus === "virtio"
        ? ({ bus: "pci", address: `0000:${pci}.0` } as const)
        : ({
            bus: bus === "scsi" || bus === "usb" || bus === "ide" ? bus : "none",
            address: undefined,
          } as const);
    return [{ volumeId: idOf(volume), deviceName, tag, ...at }];
  });

const hex = (number: number): string => number.toString(16).padStart(2, "0");

const busOf = (definition: Definition, bus: string): DiskBus =>
  diskBus(bus, machineFamily(definition.machine), "disk_bus");

/** @source nova libvirt blockinfo: get_disk_bus_for_device_type */
function usualBus({ spec, machine }: Definition, deviceType: string): string {
  if (deviceType === "cdrom") return machineFamily(machine) === "q35" ? "sata" : "ide";
  return spec.hardware.diskBus ?? "virtio";
}

type Place = Pick<StoredVolume, "slot" | "unit">;

/** @param former  taken when it is a free one */
function placeOn(
  definition: Definition,
  bus: string,
  { slots }: DiskBus,
  former: Place = { slot: null, unit: null },
): Place | undefined {
  const { machine, volumes } = definition;
  const others = volumes.filter((one) => one.bus === bus);
  const free = (candidates: readonly number[]): Place | undefined => {
    const units = candidates.filter((candidate) => !others.some((other) => other.unit === candidate));
    const unit = units.find((one) => one === former.unit) ?? units[0];
    return unit === undefined ? undefined : { slot: null, unit };
  };
  switch (bus) {
    case "virtio": {
      if (machineFamily(machine) !== "q35") return free(upwards(FIRST_PC_PLACE, LAST_PC_PLACE));
      const slot = freeSlot(definition, former.slot);
      return slot === null ? undefined : { slot, unit: null };
    }
    case "scsi":
      return free(upwards(FIRST_SCSI_UNIT, LAST_SCSI_UNIT));
    default:
      // From the far end, and one is left for a rescue disk.
      return free(upwards(ownDisks(definition) + 1, slots - 1).toReversed());
  }
}

const ownDisks = ({ spec }: Definition): number =>
  [spec.rootGib > 0 || spec.rootImage !== null, spec.swapMib > 0].filter(Boolean).length +
  spec.ephemerals.length;

const upwards = (first: number, last: number): number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
