import { isoMicros } from "../../../kernel/index.js";
import type { Instant } from "../../../kernel/index.js";
import type { Minor } from "./microversion.js";
import { DEFAULT_TYPE } from "./model.js";
import type { Attachment, Snapshot, Volume, VolumeType } from "./model.js";

type Json = Readonly<Record<string, unknown>>;

/** Cinder's times have microseconds and no zone. */
const time = (at: Instant | null): string | null => (at === null ? null : isoMicros(at));

/** Who looks, and how. */
export interface Viewer {
  readonly minor: Minor;
  readonly admin: boolean;
  /** Address of the service up to and with the project, without a slash at its end. */
  readonly base: string;
}

const links = (viewer: Viewer, path: string): Json[] => [
  { rel: "self", href: `${viewer.base}/${path}` },
  { rel: "bookmark", href: `${viewer.base.replace("/v3", "")}/${path}` },
];

export const volumeSummary = (volume: Volume, viewer: Viewer): Json => ({
  id: volume.id,
  name: volume.name,
  links: links(viewer, `volumes/${volume.id}`),
});

/** A volume as creation and update answer it, with the fields of the viewer's version. */
export function changedVolumeJson(volume: Volume, viewer: Viewer): Json {
  const { minor, admin } = viewer;
  return {
    id: volume.id,
    status: volume.status,
    size: volume.sizeGib,
    availability_zone: volume.availabilityZone,
    created_at: time(volume.createdAt),
    updated_at: time(volume.updatedAt),
    name: volume.name,
    description: volume.description,
    volume_type: volume.typeName,
    snapshot_id: volume.snapshotId,
    source_volid: volume.sourceVolid,
    metadata: volume.metadata,
    links: links(viewer, `volumes/${volume.id}`),
    user_id: volume.userId,
    bootable: String(volume.bootable),
    encrypted: false,
    replication_status: null,
    consistencygroup_id: null,
    multiattach: volume.multiattach,
    attachments: volume.attachments
      .filter(({ status }) => status === "attached")
      .map((one) => attachedJson(one, admin)),
    ...(admin ? { migration_status: null } : {}),
    ...(minor >= 13 ? { group_id: null } : {}),
    ...(minor >= 21 && admin ? { provider_id: null } : {}),
    ...(minor >= 48 ? { shared_targets: false, service_uuid: null } : {}),
    ...(minor >= 61 && admin ? { cluster_name: null } : {}),
    ...(minor >= 63 ? { volume_type_id: volume.typeId } : {}),
    ...(minor >= 65 ? { consumes_quota: true } : {}),
  };
}

/** A volume in full, as it is shown and listed: with what Cinder adds there and nowhere else. */
export function volumeJson(volume: Volume, viewer: Viewer): Json {
  const hasImage = Object.keys(volume.imageMetadata).length > 0;
  return {
    ...changedVolumeJson(volume, viewer),
    "os-vol-tenant-attr:tenant_id": volume.projectId,
    ...(hasImage ? { volume_image_metadata: volume.imageMetadata } : {}),
    ...(viewer.admin
      ? {
          "os-vol-host-attr:host": "kilonova@files#files",
          "os-vol-mig-status-attr:migstat": null,
          "os-vol-mig-status-attr:name_id": null,
        }
      : {}),
  };
}

/** An attachment as its volume shows it. */
const attachedJson = (one: Attachment, admin: boolean): Json => ({
  id: one.volumeId,
  attachment_id: one.id,
  volume_id: one.volumeId,
  server_id: one.instanceUuid,
  host_name: admin ? ((one.connector?.["host"] as string | undefined) ?? null) : null,
  device: one.mountpoint,
  attached_at: time(one.attachedAt),
});

export const attachmentSummary = (one: Attachment): Json => ({
  id: one.id,
  status: one.status,
  instance: one.instanceUuid,
  volume_id: one.volumeId,
});

export const attachmentJson = (one: Attachment): Json => ({
  ...attachmentSummary(one),
  attached_at: time(one.attachedAt) ?? "",
  detached_at: "",
  attach_mode: one.mode ?? "null",
  connection_info: one.connectionInfo ?? {},
});

export function snapshotJson(snapshot: Snapshot, { minor }: Viewer, detailed: boolean): Json {
  return {
    id: snapshot.id,
    created_at: time(snapshot.createdAt),
    updated_at: time(snapshot.updatedAt),
    name: snapshot.name,
    description: snapshot.description,
    volume_id: snapshot.volumeId,
    status: snapshot.status,
    size: snapshot.sizeGib,
    metadata: snapshot.metadata,
    ...(detailed
      ? {
          "os-extended-snapshot-attributes:progress": snapshot.status === "available" ? "100%" : "0%",
          "os-extended-snapshot-attributes:project_id": snapshot.projectId,
          ...(minor >= 14 ? { group_snapshot_id: null } : {}),
          ...(minor >= 41 ? { user_id: snapshot.userId } : {}),
          ...(minor >= 65 ? { consumes_quota: true } : {}),
        }
      : {}),
  };
}

/** Specs that users may see; the others are the operator's. */
const VISIBLE_SPECS = ["RESKEY:availability_zones", "multiattach", "replication_enabled"];

/** A type as its creation answers it. */
export const newTypeJson = (type: VolumeType, { admin }: Pick<Viewer, "admin">): Json => ({
  id: type.id,
  name: type.name,
  description: type.description ?? (type.name === DEFAULT_TYPE ? "Default Volume Type" : null),
  is_public: type.isPublic,
  "os-volume-type-access:is_public": type.isPublic,
  extra_specs: admin
    ? type.extraSpecs
    : Object.fromEntries(Object.entries(type.extraSpecs).filter(([key]) => VISIBLE_SPECS.includes(key))),
});

export const typeJson = (type: VolumeType, viewer: Pick<Viewer, "admin">): Json => ({
  ...newTypeJson(type, viewer),
  ...(viewer.admin ? { qos_specs_id: null } : {}),
});
