import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { withUnknownKeys } from "../../../kernel/index.js";
import type { GuestInterface, GuestSpec } from "../../driver.js";
import type { RunAs } from "../host/run-as.js";
import { machineFamily } from "./machine-family.js";

const hardware = z.object({
  machineType: z.string().optional(),
  diskBus: z.string().optional(),
  cpuModel: z.string().optional(),
  architecture: z.string().optional(),
  guestAgent: z.boolean().optional(),
});

const nic = z.object({
  portId: z.string(),
  macAddress: z.string(),
  mtu: z.number().int(),
  model: z.string(),
  socketPath: z.string(),
  /** Id of the device in QEMU. */
  device: z.string().default(""),
  /** PCIe slot, out of which it can be taken while the guest runs; null where QEMU chooses the place. */
  slot: z.number().int().nullable().default(null),
});

/** A volume as a guest's device. How it is reached lies elsewhere, because it may be secret. */
const volume = z.object({
  /** By which its files, block nodes and daemon are named. */
  volumeId: z.string(),
  /** Under which everybody else knows it since it was migrated; null: the same. */
  knownAs: z.string().nullable().default(null),
  deviceName: z.string(),
  deviceType: z.string(),
  bus: z.string(),
  /** Null: the guest's usual one was taken. */
  wantedBus: z.string().nullable(),
  bootIndex: z.number().int().nullable(),
  readOnly: z.boolean(),
  shared: z.boolean(),
  /** Id of the device in QEMU. */
  device: z.string(),
  /** As an interface's. */
  slot: z.number().int().nullable(),
  /** Its place on a bus that counts them. */
  unit: z.number().int().nullable(),
  tag: z.string().nullable().default(null),
});

const image = z.object({ imageId: z.string(), path: z.string(), virtualSizeBytes: z.number() });
const kernel = z.object({
  kernelPath: z.string(),
  ramdiskPath: z.string().nullable(),
  commandLine: z.string(),
});

const storedSpec = z.object({
  instanceUuid: z.string(),
  instanceName: z.string(),
  hostname: z.string(),
  vcpus: z.number().int(),
  memoryMib: z.number().int(),
  rootGib: z.number(),
  ephemerals: z.array(
    z.object({ gib: z.number(), bus: z.string().optional(), format: z.string().optional() }),
  ),
  swapMib: z.number(),
  rootImage: image.nullable(),
  kernel: kernel.nullable(),
  interfaces: z.array(nic),
  hardware,
});

/** From what the guest boots until it is unrescued. */
const rescue = z.object({
  image,
  kernel: kernel.nullable(),
  hardware,
  /** Of the machine with the rescue image's hardware; it counts without `stable` only. */
  machine: z.string(),
  configDriveDigest: z.string().nullable(),
  stable: z.object({ device: z.string(), bus: z.string() }).nullable(),
});

/** A disk that a rebuild makes anew. */
type IncomingDisk = "root" | `ephemeral${number}` | "swap" | "config";
const isIncoming = (name: unknown): name is IncomingDisk =>
  typeof name === "string" && /^(root|ephemeral\d+|swap|config)$/.test(name);

/** Where a volume was at another host. */
const formerPlace = z.object({
  volumeId: z.string(),
  bus: z.string(),
  slot: z.number().int().nullable(),
  unit: z.number().int().nullable(),
});

const schema = z.object({
  version: z.literal(1),
  machine: z.string(),
  configDriveDigest: z.string().nullable(),
  /** The user as whom it runs, its own on this machine; null where the agent cannot choose. */
  uid: z.number().int().nullable().default(null),
  /** The rebuild that it was made by; absent for none. */
  builtAs: z.string().optional(),
  /** The transfer by which it came from another host; absent for none. */
  arrivedBy: z.string().optional(),
  /** Where its volumes were before: those that are given to it again get these places, when they are free. */
  formerPlaces: z.array(formerPlace).optional(),
  /** Disks of that rebuild which are still to be put in their place. */
  incoming: z.array(z.custom<IncomingDisk>(isIncoming)).optional(),
  /** PCIe slots of a q35 machine; those that an older build defined have eight, all of them free. */
  rootPorts: z.number().int().default(8),
  spec: storedSpec,
  rescue: rescue.nullable().default(null),
  volumes: z.array(volume).default([]),
});

/**
 * A guest as this host remembers it: the spec without secrets. The config drive's content (it may hold the
 * admin password) is only on the drive itself; the digest tells whether another one is wanted.
 */
export type Definition = z.infer<typeof schema>;
export type StoredSpec = Definition["spec"];
export type StoredNic = z.infer<typeof nic>;
export type StoredVolume = z.infer<typeof volume>;

/** PCIe slots of new q35 machines; no machine has more. */
export const ROOT_PORTS = 12;
/** Most of them that a new guest's interfaces take; the rest is for what comes later. */
const PORTS_AT_FIRST = 4;

export type Rescue = NonNullable<Definition["rescue"]>;

/** Of a guest as it was: where everything is. */
export interface Before extends Pick<Definition, "rootPorts" | "volumes"> {
  readonly spec: { readonly interfaces: readonly Pick<StoredNic, "portId" | "device" | "slot">[] };
}

/**
 * @param machine  the pinned machine type, e.g. `pc-q35-7.2`
 * @param before   what is defined now, or was at another host: interfaces stay where they are
 */
export function toDefinition(
  spec: GuestSpec,
  machine: string,
  uid: number | null = null,
  before?: Before,
): Definition {
  const { configDrive, rootImage, kernel: boots, interfaces, hardware: hw, ...plain } = spec;
  return {
    version: 1,
    machine,
    configDriveDigest: digestOf(configDrive),
    uid,
    rootPorts: before?.rootPorts ?? ROOT_PORTS,
    spec: {
      ...plain,
      ephemerals: [...plain.ephemerals],
      rootImage: rootImage ?? null,
      kernel: storedKernel(boots),
      interfaces: placed(interfaces, machine, before),
      hardware: { ...hw },
    },
    rescue: null,
    volumes: before?.volumes ?? [],
  };
}

function placed(
  interfaces: readonly GuestInterface[],
  machine: string,
  before: Before | undefined,
): StoredNic[] {
  const known = new Map(before?.spec.interfaces.map((one) => [one.portId, one]));
  return interfaces.map((one, index) => {
    const { device, slot } = known.get(one.portId) ?? {
      device: deviceOf(one),
      slot: machineFamily(machine) === "q35" && index < PORTS_AT_FIRST && before === undefined ? index : null,
    };
    return { ...one, device, slot };
  });
}

/** Id of a port's device in QEMU, unless an older build has named it. */
export const deviceOf = ({ portId }: Pick<GuestInterface, "portId">): string => `nic-${portId}`;

/** With one more interface, in the first free slot; null where there is none, or QEMU chooses the place. */
export function withNic(definition: Definition, one: GuestInterface): Definition {
  const { spec } = definition;
  const added = { ...one, device: deviceOf(one), slot: freeSlot(definition) };
  return { ...definition, spec: { ...spec, interfaces: [...spec.interfaces, added] } };
}

/**
 * The first free PCIe slot; null where there is none, or QEMU chooses the place.
 * @param rather  taken instead when it is free
 */
export function freeSlot(
  { machine, rootPorts, spec, volumes }: Definition,
  rather: number | null = null,
): number | null {
  const taken = new Set([...spec.interfaces, ...volumes].map(({ slot }) => slot));
  const slots = machineFamily(machine) === "q35" ? Array.from({ length: rootPorts }, (_, i) => i) : [];
  const free = slots.filter((slot) => !taken.has(slot));
  return free.find((slot) => slot === rather) ?? free[0] ?? null;
}

export const withoutNic = (definition: Definition, portId: string): Definition => ({
  ...definition,
  spec: {
    ...definition.spec,
    interfaces: definition.spec.interfaces.filter((one) => one.portId !== portId),
  },
});

/** With the ports that another definition has: they may have come and gone since this one was made. */
export function withPortsOf({ spec }: Definition, made: Definition): Definition {
  const has = new Set(spec.interfaces.map(({ portId }) => portId));
  const known = new Set(made.spec.interfaces.map(({ portId }) => portId));
  const kept = [...known].filter((portId) => !has.has(portId)).reduce(withoutNic, made);
  return spec.interfaces.filter(({ portId }) => !known.has(portId)).reduce(withNic, kept);
}

export const storedKernel = (boots: GuestSpec["kernel"]): StoredSpec["kernel"] =>
  boots === undefined ? null : { ...boots, ramdiskPath: boots.ramdiskPath ?? null };

/**
 * The guest as its next start makes it: a rescued one boots the rescue's kernel, if any, and is the rescue
 * image's machine unless its devices stay where they are.
 */
export function asStarted(definition: Definition): Definition {
  const { rescue, spec } = definition;
  if (rescue === null) return definition;
  const { kernel, hardware, machine, stable } = rescue;
  return stable === null
    ? { ...definition, machine, spec: { ...spec, kernel, hardware } }
    : { ...definition, spec: { ...spec, kernel } };
}

/** As whom it runs; undefined: as the agent. */
export const userOf = ({ uid }: Definition): RunAs | undefined =>
  uid === null ? undefined : { uid, gid: uid };

/**
 * What a later version has added stays in it, at every depth: it is written again when its user changes.
 * @throws when the text is no definition that this version understands
 */
export function parseDefinition(text: string): Definition {
  const stored = withEphemerals(JSON.parse(text));
  const { spec, ...definition } = withUnknownKeys(stored, schema.parse(stored));
  // An older build named devices by their places.
  const interfaces = spec.interfaces.map((one, index) =>
    one.device === "" ? { ...one, device: `nic${index}` } : one,
  );
  return { ...definition, spec: { ...spec, interfaces } };
}

const oldSpec = z.looseObject({ spec: z.looseObject({ ephemeralGib: z.number() }) });

/** An older build knew one ephemeral disk at most. */
function withEphemerals(stored: unknown): unknown {
  const { success, data } = oldSpec.safeParse(stored);
  if (!success || data.spec["ephemerals"] !== undefined) return stored;
  const { ephemeralGib, ...spec } = data.spec;
  return { ...data, spec: { ...spec, ephemerals: ephemeralGib > 0 ? [{ gib: ephemeralGib }] : [] } };
}

/** Whether a definition says what is wanted, as far as this version understands it. */
export const says = (definition: Definition, wanted: Definition): boolean =>
  isDeepStrictEqual(schema.parse(definition), schema.parse(wanted));

/** What tells one config drive from another; null for none. */
export function digestOf(files: GuestSpec["configDrive"]): string | null {
  if (files === undefined) return null;
  const hash = createHash("sha256");
  for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  return hash.digest("hex");
}
