import type { Ctx, Instant } from "../../kernel/index.js";

/** A volume as Kilonova needs it. */
export interface VolumeInfo {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** In the service's words: available, reserved, attaching, in-use, detaching, error … */
  readonly status: string;
  readonly sizeGib: number;
  readonly availabilityZone: string;
  /** Name of its type; "" for none. */
  readonly volumeType: string;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  readonly encrypted: boolean;
  readonly snapshotId: string | undefined;
  readonly sourceVolumeId: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
  /** Of what it was made from an image; numbers are text. */
  readonly imageMetadata: Readonly<Record<string, string>>;
  /** Only those that are attached, none that are reserved. */
  readonly attachments: readonly VolumeUse[];
  /** Such as `migrating`; undefined for none. */
  readonly migrationStatus: string | undefined;
  /** "" where the service does not tell it. */
  readonly projectId: string;
  readonly userId: string;
  readonly createdAt: Instant | undefined;
  /** Whether connects and disconnects of one `serviceUuid` on one host must not overlap. */
  readonly sharedTargets: boolean;
  readonly serviceUuid: string | undefined;
}

/** A server that has a volume. */
export interface VolumeUse {
  readonly attachmentId: string;
  readonly serverId: string;
  readonly device: string;
  readonly hostName: string;
}

/** An attachment: a server's claim on a volume. */
export interface AttachmentInfo {
  readonly id: string;
  readonly volumeId: string;
  readonly serverId: string;
  /** `reserved`, `attaching`, `attached`, `detached` … */
  readonly status: string;
  /** `rw` or `ro`; "" until it is connected. */
  readonly mode: string;
  /**
   * How the volume is reached, `driver_volume_type` beside the rest: undefined until a connector was given
   * and in lists. What is in it may be secret.
   */
  readonly connectionInfo: Readonly<Record<string, unknown>> | undefined;
}

export interface SnapshotInfo {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** creating, available, deleting, error … */
  readonly status: string;
  readonly volumeId: string;
  readonly sizeGib: number;
  readonly projectId: string;
  /** Such as `100%`. */
  readonly progress: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly createdAt: Instant | undefined;
}

export interface VolumeTypeInfo {
  readonly id: string;
  readonly name: string;
}

/** How a volume is encrypted. */
export interface VolumeEncryption {
  readonly keyId: string;
  /** `front-end`: by the hypervisor. `back-end`: by the storage. */
  readonly controlLocation: string;
  readonly provider: string;
  readonly cipher: string;
  readonly keySizeBits: number | undefined;
}

/** What a project may have and has; -1 is unlimited. */
export interface VolumeLimits {
  readonly maxVolumes: number;
  readonly volumesUsed: number;
  readonly maxGib: number;
  readonly usedGib: number;
  readonly maxSnapshots: number;
  readonly snapshotsUsed: number;
}

/**
 * Whose rights a call uses: the given user's token in the given project, else the service's own (an admin:
 * check visibility yourself).
 */
export interface VolumeCaller {
  readonly userToken?: string;
  /** Of the user's token. */
  readonly projectId?: string;
}

/** A new volume; at most one of the sources. */
export interface CreateVolume {
  readonly name: string;
  readonly description?: string;
  readonly sizeGib: number;
  /** Whose it shall be. The service goes by the token's project and ignores it. */
  readonly projectId?: string;
  readonly userId?: string;
  readonly snapshotId?: string;
  readonly sourceVolumeId?: string;
  readonly imageId?: string;
  /** Name or id. */
  readonly volumeType?: string;
  readonly availabilityZone?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Filters of a list of volumes; all given ones must match. */
export interface VolumeQuery {
  /** With the service's own rights: without it, those of the service's project. */
  readonly projectId?: string;
  readonly name?: string;
  readonly status?: string;
  /** Pairs that a volume's metadata has. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** At most this many in all, over any number of pages; default 10,000. */
  readonly limit?: number;
}

/** Who connects, in the service's form: `host`, `ip`, `initiator`, `mountpoint` … */
export type Connector = Readonly<Record<string, unknown>>;

/**
 * What Kilonova asks of the Block Storage service. Reads and what may be repeated are, other writes never.
 */
export interface Cinder {
  /** Whether there is such a service at all: without it calls fail with ENDPOINT_NOT_FOUND (unavailable). */
  configured(ctx: Ctx): Promise<boolean>;
  /** @throws VOLUME_NOT_FOUND */
  getVolume(ctx: Ctx, id: string, caller?: VolumeCaller): Promise<VolumeInfo>;
  listVolumes(ctx: Ctx, query?: VolumeQuery, caller?: VolumeCaller): Promise<readonly VolumeInfo[]>;
  /** @throws VOLUME_INVALID, VOLUME_QUOTA, SNAPSHOT_NOT_FOUND or VOLUME_NOT_FOUND of what it is made from */
  createVolume(ctx: Ctx, volume: CreateVolume, caller?: VolumeCaller): Promise<VolumeInfo>;
  /** Repeatable: a volume that is gone counts as deleted. @throws VOLUME_INVALID when it is in use */
  deleteVolume(ctx: Ctx, id: string, caller?: VolumeCaller): Promise<void>;
  /** @throws SNAPSHOT_NOT_FOUND */
  getSnapshot(ctx: Ctx, id: string, caller?: VolumeCaller): Promise<SnapshotInfo>;
  /** Of one volume, in all projects; with the service's own rights. */
  listSnapshots(ctx: Ctx, query: { readonly volumeId: string }): Promise<readonly SnapshotInfo[]>;
  /** Also of a volume that is in use. @throws VOLUME_NOT_FOUND, VOLUME_INVALID, VOLUME_QUOTA */
  createSnapshot(
    ctx: Ctx,
    snapshot: {
      readonly volumeId: string;
      readonly name: string;
      readonly description?: string;
      readonly metadata?: Readonly<Record<string, string>>;
    },
    caller?: VolumeCaller,
  ): Promise<SnapshotInfo>;
  /** Repeatable. @throws VOLUME_INVALID while it is being made, or when volumes hang on it */
  deleteSnapshot(ctx: Ctx, id: string, caller?: VolumeCaller): Promise<void>;
  /** @param progress  such as `90%` */
  updateSnapshotStatus(ctx: Ctx, id: string, status: string, progress: string): Promise<void>;
  /**
   * Claims a volume for a server: reserves it, or connects it at once when a connector is given.
   * @throws VOLUME_NOT_FOUND, VOLUME_INVALID when it is neither available nor for many
   */
  createAttachment(
    ctx: Ctx,
    attachment: { readonly volumeId: string; readonly serverId: string; readonly connector?: Connector },
    caller?: VolumeCaller,
  ): Promise<AttachmentInfo>;
  /**
   * Says who connects and gives out how. Repeatable.
   * @throws VOLUME_ATTACHMENT_NOT_FOUND, VOLUME_INVALID
   */
  updateAttachment(ctx: Ctx, id: string, connector: Connector): Promise<AttachmentInfo>;
  /** The server has the volume now. Repeatable. @throws VOLUME_ATTACHMENT_NOT_FOUND, VOLUME_INVALID */
  completeAttachment(ctx: Ctx, id: string): Promise<void>;
  /**
   * Lets go of a volume. Repeatable: an attachment that is gone counts as deleted. @throws VOLUME_CONFLICT
   */
  deleteAttachment(ctx: Ctx, id: string): Promise<void>;
  /** With how the volume is reached. @throws VOLUME_ATTACHMENT_NOT_FOUND */
  getAttachment(ctx: Ctx, id: string): Promise<AttachmentInfo>;
  /** Of all projects, without how volumes are reached. */
  listAttachments(
    ctx: Ctx,
    query: { readonly volumeId?: string; readonly serverId?: string },
  ): Promise<readonly AttachmentInfo[]>;
  /** From in-use to detaching. @throws VOLUME_INVALID when it is not in use (also: detaching already) */
  beginDetaching(ctx: Ctx, volumeId: string): Promise<void>;
  /** From detaching back to in-use. Repeatable: one that is not detaching stays as it is. */
  rollDetaching(ctx: Ctx, volumeId: string): Promise<void>;
  listTypes(ctx: Ctx, caller?: VolumeCaller): Promise<readonly VolumeTypeInfo[]>;
  /** Undefined for one that is not encrypted. @throws VOLUME_NOT_FOUND */
  getEncryption(ctx: Ctx, volumeId: string): Promise<VolumeEncryption | undefined>;
  limits(ctx: Ctx, projectId: string): Promise<VolumeLimits>;
  /**
   * Writes an image over a volume; the service sends the event `volume-reimaged` when it is done.
   * @param reserved  whether the volume may be reserved @throws VOLUME_NOT_FOUND, VOLUME_INVALID,
   *   BLOCK_STORAGE_TOO_OLD before 3.68
   */
  reimage(ctx: Ctx, volumeId: string, imageId: string, reserved: boolean): Promise<void>;
  /**
   * A server has been given another volume.
   * @returns the id under which the volume is known from now on
   */
  migrateVolumeCompletion(
    ctx: Ctx,
    oldVolumeId: string,
    newVolumeId: string,
    error: boolean,
  ): Promise<string>;
  /** The host has seen the volume's new size, or could not. @throws BLOCK_STORAGE_TOO_OLD before 3.71 */
  extendCompletion(ctx: Ctx, volumeId: string, error: boolean): Promise<void>;
}
