import type { InstancePort, InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import type { GuestElsewhere } from "../commands/command.js";
import type {
  DiskPiece,
  ImagePhase,
  LeavingDisk,
  PreparedImage,
  SnapshotData,
  Tell,
  UploadPhase,
} from "../driver.js";

/** Gets images onto the host. */
export interface Images {
  /**
   * Downloads, checks, inspects and converts the image unless that was done already. @throws IMAGE_REFUSED,
   * IMAGE_UNAVAILABLE
   * @param tell  how far it is; nothing when the image is there
   */
  prepare(ctx: Ctx, image: ImageRef, tell: Tell<ImagePhase>): Promise<PreparedImage>;
  /** As `prepare`, before any server needs it. @returns whether it was not there yet */
  cache(ctx: Ctx, image: ImageRef): Promise<boolean>;
  /** Removes what no guest uses and nobody has asked for of late; absent where nothing is kept. */
  readonly age?: (ctx: Ctx, by: ImageUse) => Promise<void>;
}

/** What of the cache is in use. */
export interface ImageUse {
  /** Paths of bases that guests rely on now. */
  readonly usedBy: () => Promise<ReadonlySet<string>>;
  /** How long one stays that was asked for last, or used last, in ms; may be infinite. */
  readonly minAgeMs: number;
}

/** Gets data into images. */
export interface ImageUploads {
  /** @see CommandHost.uploadImage */
  upload(
    ctx: Ctx,
    imageId: string,
    open: () => Promise<SnapshotData>,
    tell: Tell<UploadPhase>,
  ): Promise<void>;
}

/** Reaches the disks of guests that leave other hosts. */
export interface DiskSources {
  /** @see Arrival.open */
  read(ctx: Ctx, guest: GuestElsewhere, disk: LeavingDisk, fromByte: number): AsyncIterable<DiskPiece>;
}

/** The host's data plane. */
export interface Plumbing {
  /** Connects a guest's ports; repeating it with other facts changes them. */
  plug(ctx: Ctx, instance: InstanceRecord, socketPathOf: (portId: string) => string): Promise<void>;
  unplug(ctx: Ctx, ports: readonly InstancePort[], serverId: string): Promise<void>;
  /** Traffic of a guest's ports, for diagnostics; none of those that are not connected here. */
  stats(ctx: Ctx, serverId: string): Promise<readonly PortStats[]>;
  /**
   * Calls back for each port that turns out not to be its server's any more; nothing passes there by then.
   */
  onLost(listener: (lost: LostPort) => void): void;
  close(): Promise<void>;
}

/** A port that the Network service no longer has, or gave to another server. */
export interface LostPort {
  readonly serverId: string;
  readonly portId: string;
}

/** Received and sent are the guest's words. Counted since the port was connected. */
export interface PortStats {
  readonly portId: string;
  readonly rxBytes: number;
  readonly txBytes: number;
  readonly rxPackets: number;
  readonly txPackets: number;
  readonly rxDrops: number;
  readonly txDrops: number;
}

/** For drivers without disks or packets. */
export const noPlumbing: Plumbing = {
  plug: async () => {},
  unplug: async () => {},
  stats: async () => [],
  onLost: () => {},
  close: async () => {},
};
export const noImages: Images = {
  prepare: async (_ctx, image) => ({ imageId: image.id, path: "", virtualSizeBytes: 0 }),
  cache: async () => false,
};
export const noUploads: ImageUploads = { upload: async () => {} };
/** For hosts that are alone. */
export const noDisks: DiskSources = {
  read: () => {
    throw CommonErrors.UNAVAILABLE({ what: "The other host" });
  },
};
