import { z } from "zod";
import { parseIso } from "../../kernel/index.js";
import { CinderErrors } from "./errors.js";
import type {
  AttachmentInfo,
  CreateVolume,
  SnapshotInfo,
  VolumeEncryption,
  VolumeInfo,
  VolumeLimits,
} from "./ports.js";

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const optional = z
  .string()
  .nullish()
  .transform((value) => value || undefined);
const flag = z
  .union([z.boolean(), z.string().transform((value) => value.toLowerCase() === "true")])
  .nullish()
  .transform((value) => value ?? false);
/** Values of metadata are text, but images' sizes come as numbers from some releases. */
const texts = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((values) =>
    Object.fromEntries(
      Object.entries(values ?? {}).map(([name, value]) => [
        name,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
  );
/** Without a zone: UTC. */
const time = z
  .string()
  .nullish()
  .transform((value) =>
    value ? parseIso(/Z|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`) : undefined,
  );

/** GiB. Whoever counts with it needs a whole number that a record can hold. */
const gib = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1);
/** Of JSON. It is stored, and sent to hosts. */
const MOST_CONNECTION_CHARACTERS = 65_536;

const use = z
  .object({ attachment_id: text, server_id: text, device: text, host_name: text })
  .transform((one) => ({
    attachmentId: one.attachment_id,
    serverId: one.server_id,
    device: one.device,
    hostName: one.host_name,
  }));

const volume = z
  .object({
    id: z.string(),
    name: text,
    description: text,
    status: z.string(),
    size: gib,
    availability_zone: text,
    volume_type: text,
    bootable: flag,
    multiattach: flag,
    encrypted: flag,
    snapshot_id: optional,
    source_volid: optional,
    metadata: texts,
    volume_image_metadata: texts,
    attachments: z.array(use).default([]),
    migration_status: optional,
    "os-vol-mig-status-attr:migstat": optional,
    "os-vol-tenant-attr:tenant_id": text,
    user_id: text,
    created_at: time,
    shared_targets: z.boolean().nullish(),
    service_uuid: optional,
  })
  .transform((v): VolumeInfo => ({
    id: v.id,
    name: v.name,
    description: v.description,
    status: v.status,
    sizeGib: v.size,
    availabilityZone: v.availability_zone,
    volumeType: v.volume_type,
    bootable: v.bootable,
    multiattach: v.multiattach,
    encrypted: v.encrypted,
    snapshotId: v.snapshot_id,
    sourceVolumeId: v.source_volid,
    metadata: v.metadata,
    imageMetadata: v.volume_image_metadata,
    attachments: v.attachments,
    migrationStatus: v.migration_status ?? v["os-vol-mig-status-attr:migstat"],
    projectId: v["os-vol-tenant-attr:tenant_id"],
    userId: v.user_id,
    createdAt: v.created_at,
    sharedTargets: v.shared_targets ?? true,
    serviceUuid: v.service_uuid,
  }));

const attachment = z
  .object({
    id: z.string(),
    volume_id: z.string(),
    instance: text,
    status: text,
    attach_mode: text,
    connection_info: z
      .record(z.string(), z.unknown())
      .refine((info) => JSON.stringify(info).length <= MOST_CONNECTION_CHARACTERS)
      .nullish(),
  })
  .transform((a): AttachmentInfo => ({
    id: a.id,
    volumeId: a.volume_id,
    serverId: a.instance,
    status: a.status,
    mode: a.attach_mode,
    connectionInfo:
      a.connection_info && Object.keys(a.connection_info).length > 0 ? a.connection_info : undefined,
  }));

const snapshot = z
  .object({
    id: z.string(),
    name: text,
    description: text,
    status: z.string(),
    volume_id: z.string(),
    size: gib,
    "os-extended-snapshot-attributes:project_id": text,
    "os-extended-snapshot-attributes:progress": text,
    metadata: texts,
    created_at: time,
  })
  .transform((s): SnapshotInfo => ({
    id: s.id,
    name: s.name,
    description: s.description,
    status: s.status,
    volumeId: s.volume_id,
    sizeGib: s.size,
    projectId: s["os-extended-snapshot-attributes:project_id"],
    progress: s["os-extended-snapshot-attributes:progress"],
    metadata: s.metadata,
    createdAt: s.created_at,
  }));

const type = z.object({ id: z.string(), name: z.string() });

const encryption = z
  .object({
    encryption_key_id: optional,
    control_location: text,
    provider: text,
    cipher: text,
    key_size: z.number().nullish(),
  })
  .transform((e): VolumeEncryption | undefined =>
    e.encryption_key_id === undefined && e.provider === ""
      ? undefined
      : {
          keyId: e.encryption_key_id ?? "",
          controlLocation: e.control_location,
          provider: e.provider,
          cipher: e.cipher,
          keySizeBits: e.key_size ?? undefined,
        },
  );

const limit = z.number().default(-1);
const used = z.number().default(0);
const limits = z
  .object({
    absolute: z.object({
      maxTotalVolumes: limit,
      totalVolumesUsed: used,
      maxTotalVolumeGigabytes: limit,
      totalGigabytesUsed: used,
      maxTotalSnapshots: limit,
      totalSnapshotsUsed: used,
    }),
  })
  .transform(({ absolute: a }): VolumeLimits => ({
    maxVolumes: a.maxTotalVolumes,
    volumesUsed: a.totalVolumesUsed,
    maxGib: a.maxTotalVolumeGigabytes,
    usedGib: a.totalGigabytesUsed,
    maxSnapshots: a.maxTotalSnapshots,
    snapshotsUsed: a.totalSnapshotsUsed,
  }));

const version = z.object({
  version: z.string(),
  min_version: z
    .string()
    .nullish()
    .transform((value) => value ?? ""),
});
const versions = z.array(version);

/** How each kind of thing is read from JSON. */
export const shapes = { volume, attachment, snapshot, type, encryption, limits, versions };

/** Reads `{"<name>": …}`. @throws UNEXPECTED_ANSWER */
export function readOne<S extends z.ZodType>(json: unknown, name: string, shape: S): z.output<S> {
  return read(read(json, body)[name], shape);
}

/** Reads all of the body, or a part of it. @throws UNEXPECTED_ANSWER */
export function read<S extends z.ZodType>(json: unknown, shape: S): z.output<S> {
  const parsed = shape.safeParse(json);
  if (!parsed.success) throw CinderErrors.UNEXPECTED_ANSWER({}, { cause: parsed.error });
  return parsed.data;
}

/** Reads `{"<name>": [ … ]}`. @throws UNEXPECTED_ANSWER */
export function readMany<S extends z.ZodType>(json: unknown, name: string, shape: S): z.output<S>[] {
  return readOne(json, name, list).map((one) => read(one, shape));
}

const links = z.array(z.object({ rel: z.string(), href: z.string() }));

/** The marker of the page after this one; undefined after the last. */
export function nextMarker(json: unknown, name: string): string | undefined {
  const parsed = links.safeParse(read(json, body)[`${name}_links`]);
  const href = parsed.success ? parsed.data.find((link) => link.rel === "next")?.href : undefined;
  const at = href?.indexOf("?") ?? -1;
  return href === undefined || at < 0
    ? undefined
    : (new URLSearchParams(href.slice(at + 1)).get("marker") ?? undefined);
}

// Shapes are made once: making one takes many times what checking it does.
const body = z.record(z.string(), z.unknown());
const list = z.array(z.unknown());

/** The body of a new volume. */
export const createVolumeJson = (wish: CreateVolume): unknown => ({
  volume: defined({
    size: wish.sizeGib,
    name: wish.name,
    description: wish.description,
    availability_zone: wish.availabilityZone,
    snapshot_id: wish.snapshotId,
    source_volid: wish.sourceVolumeId,
    imageRef: wish.imageId,
    volume_type: wish.volumeType,
    user_id: wish.userId,
    project_id: wish.projectId,
    metadata: wish.metadata ?? {},
  }),
});

export const defined = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
