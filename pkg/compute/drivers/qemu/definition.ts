import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { withUnknownKeys } from "../../../kernel/index.js";
import type { GuestSpec } from "../../driver.js";
import type { RunAs } from "../host/run-as.js";

const hardware = z.object({
  machineType: z.string().optional(),
  diskBus: z.string().optional(),
  cpuModel: z.string().optional(),
  architecture: z.string().optional(),
  guestAgent: z.boolean().optional(),
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
  ephemeralGib: z.number(),
  swapMib: z.number(),
  rootImage: image.nullable(),
  kernel: kernel.nullable(),
  interfaces: z.array(
    z.object({
      portId: z.string(),
      macAddress: z.string(),
      mtu: z.number().int(),
      model: z.string(),
      socketPath: z.string(),
    }),
  ),
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

const schema = z.object({
  version: z.literal(1),
  machine: z.string(),
  configDriveDigest: z.string().nullable(),
  /** The user as whom it runs, its own on this machine; null where the agent cannot choose. */
  uid: z.number().int().nullable().default(null),
  spec: storedSpec,
  rescue: rescue.nullable().default(null),
});

/**
 * A guest as this host remembers it: the spec without secrets. The config drive's content (it may hold the
 * admin password) is only on the drive itself; the digest tells whether another one is wanted.
 */
export type Definition = z.infer<typeof schema>;
export type StoredSpec = Definition["spec"];
export type Rescue = NonNullable<Definition["rescue"]>;

/** @param machine  the pinned machine type, e.g. `pc-q35-7.2` */
export function toDefinition(spec: GuestSpec, machine: string, uid: number | null = null): Definition {
  const { configDrive, rootImage, kernel: boots, interfaces, hardware: hw, ...plain } = spec;
  return {
    version: 1,
    machine,
    configDriveDigest: digestOf(configDrive),
    uid,
    spec: {
      ...plain,
      rootImage: rootImage ?? null,
      kernel: storedKernel(boots),
      interfaces: interfaces.map((i) => ({ ...i })),
      hardware: { ...hw },
    },
    rescue: null,
  };
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
  const stored: unknown = JSON.parse(text);
  return withUnknownKeys(stored, schema.parse(stored));
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
