import type { Instant } from "../../../kernel/index.js";

export const volumeStatuses = [
  "creating",
  "downloading",
  "available",
  "reserved",
  "attaching",
  "detaching",
  "in-use",
  "maintenance",
  "deleting",
  "error",
  "error_deleting",
  "error_extending",
  "extending",
  "uploading",
] as const;
export type VolumeStatus = (typeof volumeStatuses)[number];

export const snapshotStatuses = ["creating", "available", "deleting", "error", "error_deleting"] as const;
export type SnapshotStatus = (typeof snapshotStatuses)[number];

export type AttachStatus = "reserved" | "attaching" | "attached" | "detaching";

/** Work on a volume that outlives the request that asked for it, and a crash. */
export type VolumeTask =
  /** From its snapshot, its source volume, the named image, or blank. */
  | { readonly kind: "create"; readonly imageId?: string }
  | { readonly kind: "delete" }
  | { readonly kind: "extend"; readonly sizeGib: number }
  | { readonly kind: "reimage"; readonly imageId: string }
  | { readonly kind: "upload"; readonly imageId: string; readonly diskFormat: string };

export type SnapshotTask = { readonly kind: "create" } | { readonly kind: "delete" };

/** A volume; its size is in GiB. */
export interface Volume {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly projectId: string;
  readonly userId: string;
  readonly sizeGib: number;
  readonly status: VolumeStatus;
  /** What an upload, an extension or a new image goes back to. */
  readonly previousStatus: VolumeStatus | null;
  readonly task: VolumeTask | null;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  readonly readOnly: boolean;
  readonly typeId: string;
  readonly typeName: string;
  readonly snapshotId: string | null;
  readonly sourceVolid: string | null;
  readonly availabilityZone: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly imageMetadata: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /** In the order of their making. */
  readonly attachments: readonly Attachment[];
}

/** One server's use of a volume, or somebody's without a server. */
export interface Attachment {
  readonly id: string;
  readonly volumeId: string;
  /** The volume's project. */
  readonly projectId: string;
  readonly instanceUuid: string | null;
  readonly status: AttachStatus;
  readonly mode: "rw" | "ro" | null;
  readonly mountpoint: string | null;
  readonly connector: Readonly<Record<string, unknown>> | null;
  /** Undefined members are absent; null while only reserved. */
  readonly connectionInfo: Readonly<Record<string, unknown>> | null;
  readonly attachedAt: Instant | null;
  readonly createdAt: Instant;
}

/** The content of a volume at one moment; its size is in GiB. */
export interface Snapshot {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly volumeId: string;
  readonly projectId: string;
  readonly userId: string;
  readonly sizeGib: number;
  readonly status: SnapshotStatus;
  readonly task: SnapshotTask | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** A kind of volumes. Extra specs decide what volumes of it can do. */
export interface VolumeType {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly isPublic: boolean;
  readonly extraSpecs: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
}

/** The type of volumes for which nobody names one. */
export const DEFAULT_TYPE = "__DEFAULT__";
export const ZONE = "nova";
export const GIB = 2 ** 30;

/** Whether volumes of a type may be attached to several servers. */
export const allowsMultiattach = (extraSpecs: Readonly<Record<string, string>>): boolean =>
  extraSpecs["multiattach"]?.trim().toLowerCase() === "<is> true";
