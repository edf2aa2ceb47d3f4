import { randomUUID } from "node:crypto";
import { CinderErrors } from "../errors.js";
import type {
  AttachmentInfo,
  Cinder,
  Connector,
  SnapshotInfo,
  VolumeEncryption,
  VolumeInfo,
  VolumeLimits,
  VolumeTypeInfo,
} from "../ports.js";

/**
 * Volumes in memory; everybody sees all of them. States follow Cinder's: who comes second to a volume is
 * refused, two attachments of one server are not.
 */
export interface FakeCinder extends Cinder {
  /** 1 GiB and available unless said otherwise. */
  addVolume(volume?: Partial<VolumeInfo>): VolumeInfo;
  addSnapshot(snapshot: Partial<SnapshotInfo> & { readonly volumeId: string }): SnapshotInfo;
  /** As it was, without consequences for its volume. */
  addAttachment(attachment: AttachmentInfo): void;
  readonly volumes: ReadonlyMap<string, VolumeInfo>;
  readonly snapshots: ReadonlyMap<string, SnapshotInfo>;
  readonly attachments: ReadonlyMap<string, AttachmentInfo>;
  /** Who connected, by attachment. */
  readonly connectors: ReadonlyMap<string, Connector>;
  /** By volume. */
  readonly encryptions: Map<string, VolumeEncryption>;
  readonly types: VolumeTypeInfo[];
  /** Images that were written over volumes. */
  readonly reimaged: { readonly volumeId: string; readonly imageId: string }[];
  maximum: Pick<VolumeLimits, "maxVolumes" | "maxGib" | "maxSnapshots">;
  /**
   * What new volumes and snapshots are, and volumes that an image was written over (`downloading`);
   * `creating` until a test says otherwise.
   */
  newOnes: "available" | "creating" | "error";
  /** Changes a volume as its service would. */
  setVolume(id: string, change: Partial<VolumeInfo>): void;
  /** Changes a snapshot as its service would. */
  setSnapshot(id: string, change: Partial<SnapshotInfo>): void;
  /** While false, there is no such service. */
  present: boolean;
  /** While true, every call throws BLOCK_STORAGE_UNAVAILABLE. */
  down: boolean;
  /** What a method throws instead of doing anything, by its name. */
  readonly failing: Map<keyof Cinder, Error>;
}

export function fakeCinder(): FakeCinder {
  const volumes = new Map<string, VolumeInfo>();
  const snapshots = new Map<string, SnapshotInfo>();
  const attachments = new Map<string, AttachmentInfo>();
  const connectors = new Map<string, Connector>();

  const up = (method: keyof Cinder): void => {
    const error = fake.failing.get(method);
    if (error !== undefined) throw error;
    if (fake.down || !fake.present) throw CinderErrors.BLOCK_STORAGE_UNAVAILABLE({});
  };
  const volumeOf = (id: string): VolumeInfo => {
    const found = volumes.get(id);
    if (found === undefined) throw CinderErrors.VOLUME_NOT_FOUND({ id });
    return found;
  };
  const snapshotOf = (id: string): SnapshotInfo => {
    const found = snapshots.get(id);
    if (found === undefined) throw CinderErrors.SNAPSHOT_NOT_FOUND({ id });
    return found;
  };
  const attachmentOf = (id: string): AttachmentInfo => {
    const found = attachments.get(id);
    if (found === undefined) throw CinderErrors.VOLUME_ATTACHMENT_NOT_FOUND({ id });
    return found;
  };
  const ofVolume = (volumeId: string): AttachmentInfo[] =>
    [...attachments.values()].filter((one) => one.volumeId === volumeId);
  const reserve = (volume: VolumeInfo, serverId: string): void => {
    const free = volume.multiattach ? ["available", "in-use", "downloading"] : ["available", "downloading"];
    const again =
      ["in-use", "reserved"].includes(volume.status) &&
      ofVolume(volume.id).some((one) => one.serverId === serverId);
    if (!free.includes(volume.status) && !again)
      throw CinderErrors.VOLUME_INVALID({
        problem: `Invalid volume: Volume ${volume.id} status must be ${free.join(" or ")}`,
      });
    if (free.includes(volume.status)) fake.setVolume(volume.id, { status: "reserved" });
  };
  const connect = (id: string, connector: Connector): AttachmentInfo => {
    const attachment = attachmentOf(id);
    const volume = volumeOf(attachment.volumeId);
    const next: AttachmentInfo = {
      ...attachment,
      status: "attaching",
      mode: "rw",
      connectionInfo: {
        driver_volume_type: "nbd",
        unix: `/run/volumes/${volume.id}.sock`,
        export: id,
        access_mode: "rw",
        encrypted: volume.encrypted,
        multiattach: volume.multiattach,
        attachment_id: id,
        volume_id: volume.id,
        cacheable: false,
        qos_specs: null,
      },
    };
    connectors.set(id, connector);
    attachments.set(id, next);
    fake.setVolume(volume.id, { status: "attaching" });
    return next;
  };
  /** A volume's state follows from who still has it. */
  const settle = (volumeId: string): void => {
    const left = ofVolume(volumeId);
    const attached = left.filter((one) => one.status === "attached");
    const status = attached.length > 0 ? "in-use" : left.length > 0 ? "reserved" : "available";
    const uses = attached.map((one) => ({
      attachmentId: one.id,
      serverId: one.serverId,
      device: String(connectors.get(one.id)?.["mountpoint"] ?? ""),
      hostName: String(connectors.get(one.id)?.["host"] ?? ""),
    }));
    fake.setVolume(volumeId, { status, attachments: uses });
  };
  const usedGib = (projectId: string): number =>
    [...volumes.values()]
      .filter((one) => one.projectId === projectId)
      .reduce((sum, one) => sum + one.sizeGib, 0);
  const requireRoom = (projectId: string, sizeGib: number): void => {
    const { maxVolumes, maxGib } = fake.maximum;
    const count = [...volumes.values()].filter((one) => one.projectId === projectId).length;
    if (maxVolumes >= 0 && count >= maxVolumes)
      throw CinderErrors.VOLUME_QUOTA({
        problem: `VolumeLimitExceeded: Maximum number of volumes allowed (${maxVolumes}) exceeded for quota 'volumes'.`,
      });
    if (maxGib >= 0 && usedGib(projectId) + sizeGib > maxGib)
      throw CinderErrors.VOLUME_QUOTA({
        problem: `VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested ${sizeGib}G, quota is ${maxGib}G and ${usedGib(projectId)}G has been consumed.`,
      });
  };

  const fake: FakeCinder = {
    volumes,
    snapshots,
    attachments,
    connectors,
    encryptions: new Map(),
    types: [{ id: randomUUID(), name: "__DEFAULT__" }],
    reimaged: [],
    maximum: { maxVolumes: -1, maxGib: -1, maxSnapshots: -1 },
    newOnes: "available",
    present: true,
    down: false,
    failing: new Map(),
    addVolume: (volume = {}) => {
      const full: VolumeInfo = {
        id: randomUUID(),
        name: "",
        description: "",
        status: "available",
        sizeGib: 1,
        availabilityZone: "nova",
        volumeType: "__DEFAULT__",
        bootable: false,
        multiattach: false,
        encrypted: false,
        snapshotId: undefined,
        sourceVolumeId: undefined,
        metadata: {},
        imageMetadata: {},
        attachments: [],
        migrationStatus: undefined,
        projectId: "project-id",
        userId: "user-id",
        createdAt: undefined,
        sharedTargets: false,
        serviceUuid: undefined,
        ...volume,
      };
      volumes.set(full.id, full);
      return full;
    },
    addSnapshot: (snapshot) => {
      const full: SnapshotInfo = {
        id: randomUUID(),
        name: "",
        description: "",
        status: "available",
        sizeGib: volumes.get(snapshot.volumeId)?.sizeGib ?? 1,
        projectId: volumes.get(snapshot.volumeId)?.projectId ?? "project-id",
        progress: "100%",
        metadata: {},
        createdAt: undefined,
        ...snapshot,
      };
      snapshots.set(full.id, full);
      return full;
    },
    addAttachment: (attachment) => {
      attachments.set(attachment.id, attachment);
    },
    setVolume: (id, change) => {
      volumes.set(id, { ...volumeOf(id), ...change });
    },
    setSnapshot: (id, change) => {
      snapshots.set(id, { ...snapshotOf(id), ...change });
    },
    configured: async () => fake.present,
    getVolume: async (_ctx, id) => {
      up("getVolume");
      return volumeOf(id);
    },
    listVolumes: async (_ctx, query = {}) => {
      up("listVolumes");
      const has = (wanted: string | undefined, value: string): boolean =>
        wanted === undefined || wanted === value;
      return [...volumes.values()]
        .filter(
          (one) =>
            has(query.projectId, one.projectId) &&
            has(query.name, one.name) &&
            has(query.status, one.status) &&
            Object.entries(query.metadata ?? {}).every(([name, value]) => one.metadata[name] === value),
        )
        .slice(0, query.limit);
    },
    createVolume: async (_ctx, wish, by = {}) => {
      up("createVolume");
      // As the real one, which goes by the token.
      const projectId = by.projectId ?? "service-project";
      const source = wish.snapshotId === undefined ? undefined : snapshotOf(wish.snapshotId);
      if (wish.sourceVolumeId !== undefined) volumeOf(wish.sourceVolumeId);
      if (source !== undefined && wish.sizeGib < source.sizeGib)
        throw CinderErrors.VOLUME_INVALID({
          problem: `Invalid input received: Volume size ${wish.sizeGib}GB cannot be smaller than the snapshot size ${source.sizeGib}GB. They must be >= original snapshot size.`,
        });
      requireRoom(projectId, wish.sizeGib);
      return fake.addVolume({
        name: wish.name,
        description: wish.description ?? "",
        sizeGib: wish.sizeGib,
        status: fake.newOnes,
        projectId,
        userId: wish.userId ?? "user-id",
        snapshotId: wish.snapshotId,
        sourceVolumeId: wish.sourceVolumeId,
        bootable: wish.imageId !== undefined || source !== undefined,
        metadata: wish.metadata ?? {},
        imageMetadata: wish.imageId === undefined ? {} : { image_id: wish.imageId },
        availabilityZone: wish.availabilityZone ?? "nova",
        volumeType: wish.volumeType ?? "__DEFAULT__",
      });
    },
    deleteVolume: async (_ctx, id) => {
      up("deleteVolume");
      const volume = volumes.get(id);
      if (volume === undefined) return;
      const isUsed = ofVolume(id).length > 0 || [...snapshots.values()].some((one) => one.volumeId === id);
      if (!["available", "error", "error_deleting"].includes(volume.status) || isUsed)
        throw CinderErrors.VOLUME_INVALID({
          problem:
            "Invalid volume: Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots or be disassociated from snapshots after volume transfer.",
        });
      volumes.delete(id);
    },
    getSnapshot: async (_ctx, id) => {
      up("getSnapshot");
      return snapshotOf(id);
    },
    listSnapshots: async (_ctx, { volumeId }) => {
      up("listSnapshots");
      return [...snapshots.values()].filter((one) => one.volumeId === volumeId);
    },
    createSnapshot: async (_ctx, wish) => {
      up("createSnapshot");
      const volume = volumeOf(wish.volumeId);
      const { maxSnapshots } = fake.maximum;
      if (maxSnapshots >= 0 && snapshots.size >= maxSnapshots)
        throw CinderErrors.VOLUME_QUOTA({
          problem: `SnapshotLimitExceeded: Maximum number of snapshots allowed (${maxSnapshots}) exceeded`,
        });
      return fake.addSnapshot({
        volumeId: volume.id,
        name: wish.name,
        description: wish.description ?? "",
        metadata: wish.metadata ?? {},
        status: fake.newOnes,
      });
    },
    deleteSnapshot: async (_ctx, id) => {
      up("deleteSnapshot");
      if (snapshots.get(id)?.status === "creating")
        throw CinderErrors.VOLUME_INVALID({
          problem: "Invalid snapshot: Snapshot status must be available or error or error_deleting.",
        });
      snapshots.delete(id);
    },
    updateSnapshotStatus: async (_ctx, id, status, progress) => {
      up("updateSnapshotStatus");
      snapshots.set(id, { ...snapshotOf(id), status, progress });
    },
    createAttachment: async (_ctx, { volumeId, serverId, connector }) => {
      up("createAttachment");
      const volume = volumeOf(volumeId);
      reserve(volume, serverId);
      const made: AttachmentInfo = {
        id: randomUUID(),
        volumeId,
        serverId,
        status: "reserved",
        mode: "",
        connectionInfo: undefined,
      };
      attachments.set(made.id, made);
      return connector === undefined ? made : connect(made.id, connector);
    },
    updateAttachment: async (_ctx, id, connector) => {
      up("updateAttachment");
      return connect(id, connector);
    },
    completeAttachment: async (_ctx, id) => {
      up("completeAttachment");
      const attachment = attachmentOf(id);
      attachments.set(id, { ...attachment, status: "attached" });
      settle(attachment.volumeId);
    },
    deleteAttachment: async (_ctx, id) => {
      up("deleteAttachment");
      const attachment = attachments.get(id);
      if (attachment === undefined) return;
      attachments.delete(id);
      connectors.delete(id);
      if (volumes.has(attachment.volumeId)) settle(attachment.volumeId);
    },
    getAttachment: async (_ctx, id) => {
      up("getAttachment");
      return attachmentOf(id);
    },
    listAttachments: async (_ctx, { volumeId, serverId }) => {
      up("listAttachments");
      return [...attachments.values()]
        .filter(
          (one) =>
            (volumeId === undefined || one.volumeId === volumeId) &&
            (serverId === undefined || one.serverId === serverId),
        )
        .map((one) => ({ ...one, connectionInfo: undefined }));
    },
    beginDetaching: async (_ctx, id) => {
      up("beginDetaching");
      const { status } = volumeOf(id);
      if (status !== "in-use")
        throw CinderErrors.VOLUME_INVALID({
          problem:
            "Invalid volume: Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.",
        });
      fake.setVolume(id, { status: "detaching" });
    },
    rollDetaching: async (_ctx, id) => {
      up("rollDetaching");
      if (volumeOf(id).status === "detaching") fake.setVolume(id, { status: "in-use" });
    },
    listTypes: async () => {
      up("listTypes");
      return fake.types;
    },
    getEncryption: async (_ctx, id) => {
      up("getEncryption");
      volumeOf(id);
      return fake.encryptions.get(id);
    },
    limits: async (_ctx, projectId) => {
      up("limits");
      return {
        ...fake.maximum,
        volumesUsed: [...volumes.values()].filter((one) => one.projectId === projectId).length,
        usedGib: usedGib(projectId),
        snapshotsUsed: [...snapshots.values()].filter((one) => one.projectId === projectId).length,
      };
    },
    reimage: async (_ctx, volumeId, imageId, reserved) => {
      up("reimage");
      const { status } = volumeOf(volumeId);
      const fit = ["available", "error", ...(reserved ? ["reserved"] : [])];
      if (!fit.includes(status))
        throw CinderErrors.VOLUME_INVALID({
          problem: `Invalid volume: Volume ${volumeId} status must be ${fit.join(" or ")}`,
        });
      fake.reimaged.push({ volumeId, imageId });
      const becomes = { available: status, creating: "downloading", error: "error" }[fake.newOnes];
      fake.setVolume(volumeId, { status: becomes, imageMetadata: { image_id: imageId } });
    },
    migrateVolumeCompletion: async (_ctx, oldId, newId, error) => {
      up("migrateVolumeCompletion");
      const old = volumeOf(oldId);
      const { sizeGib, id } = volumeOf(newId);
      if (old.migrationStatus === undefined)
        throw CinderErrors.VOLUME_INVALID({ problem: "Invalid volume: it is not migrating" });
      if (error) {
        fake.setVolume(oldId, { migrationStatus: "error" });
        return oldId;
      }
      // The new one gets the old one's id, and what was the old one goes.
      volumes.delete(id);
      for (const [name, one] of attachments)
        if (one.volumeId === newId) attachments.set(name, { ...one, volumeId: oldId });
      fake.setVolume(oldId, { sizeGib, migrationStatus: "success" });
      settle(oldId);
      return oldId;
    },
    extendCompletion: async (_ctx, id, error) => {
      up("extendCompletion");
      fake.setVolume(id, error ? { status: "error_extending" } : {});
    },
  };
  return fake;
}
