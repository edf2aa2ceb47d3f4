import type { Readable } from "node:stream";
import type { Actor, Clock, Ctx, Ids } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import type { VolumeTables } from "./adapters/sql/tables.js";
import type { VolumeConfig } from "./config.js";
import type { VolumeEvent } from "./domain/volume-events.js";
import type { Work } from "./ops/work.js";

/** All that the Block Storage service works with. */
export interface VolumeParts {
  readonly db: Database<VolumeTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly limits: VolumeConfig;
  readonly storage: VolumeStorage;
  readonly images: VolumeImages;
  readonly work: Work;
  /**
   * Told about attached volumes that grew or got another image, after it is stored. A failure is logged and
   * lost, as with the real service.
   */
  readonly onVolumeEvents: (ctx: Ctx, events: readonly VolumeEvent[]) => Promise<void>;
}

/** How an attachment is reached. */
export interface ServedAt {
  /** The unix socket, whose folder holds nothing else. */
  readonly socket: string;
  /** Name of the NBD export. */
  readonly exportName: string;
}

/** One attachment as it is served. */
export interface Served {
  readonly volumeId: string;
  readonly attachmentId: string;
  readonly readOnly: boolean;
}

/**
 * Data of volumes and snapshots. All is repeatable: work that was cut off is done again from its beginning.
 * Sizes are bytes.
 */
export interface VolumeStorage {
  /** An empty volume. */
  blank(ctx: Ctx, volumeId: string, size: number): Promise<void>;
  fromSnapshot(ctx: Ctx, volumeId: string, size: number, snapshotId: string): Promise<void>;
  /** The source's content of one moment, whether or not it is in use. */
  fromVolume(ctx: Ctx, volumeId: string, size: number, sourceId: string): Promise<void>;
  /**
   * Takes the place of what is there. Nobody may be connected.
   * @param format  what QEMU calls it; never found out from the data
   */
  fromImage(
    ctx: Ctx,
    volumeId: string,
    size: number,
    image: { readonly format: string; readonly size: number | null; readonly data: Readable },
  ): Promise<void>;
  /** The volume's content of one moment. */
  snapshot(ctx: Ctx, snapshotId: string, volumeId: string): Promise<void>;
  /**
   * The volume's content of one moment as a file of an image. The caller reads it to its end or destroys it.
   */
  imageFile(
    ctx: Ctx,
    volumeId: string,
    format: string,
  ): Promise<{ readonly size: number; readonly data: Readable; dispose(): Promise<void> }>;
  /** Makes it larger, also while it is used: who is connected is cut off for a moment and sees it then. */
  grow(ctx: Ctx, volumeId: string, size: number): Promise<void>;
  removeVolume(ctx: Ctx, volumeId: string): Promise<void>;
  removeSnapshot(ctx: Ctx, snapshotId: string): Promise<void>;
  /** Serves a volume's data to whoever is shown the socket. */
  serve(ctx: Ctx, served: Served): Promise<ServedAt>;
  /** Ends it; who is connected is cut off. */
  endServing(ctx: Ctx, volumeId: string, attachmentId: string): Promise<void>;
  /** At a start: these are served, others are not any more; what is no volume's or snapshot's is removed. */
  restore(
    ctx: Ctx,
    served: readonly Served[],
    keep: { readonly volumes: ReadonlySet<string>; readonly snapshots: ReadonlySet<string> },
  ): Promise<void>;
  /** Bytes that may still be written. */
  freeBytes(): Promise<number>;
  /** Lets go of what is served; it goes on being served. */
  close(): void;
}

/** An image as a source of a volume. Sizes are bytes, `minDisk` GiB. */
export interface SourceImage {
  readonly id: string;
  readonly active: boolean;
  readonly diskFormat: string | null;
  readonly size: number | null;
  readonly virtualSize: number | null;
  readonly minDisk: number;
  /** What a volume remembers of it. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface NewImage {
  readonly name: string;
  readonly diskFormat: string;
  readonly containerFormat: string;
  readonly visibility: string;
  readonly protected: boolean;
  readonly properties: Readonly<Record<string, string>>;
}

/** The Image service. */
export interface VolumeImages {
  /** @throws IMAGE_NOT_FOUND when the actor may not see it */
  get(ctx: Ctx, actor: Actor, id: string): Promise<SourceImage>;
  /** @throws IMAGE_NOT_FOUND */
  read(ctx: Ctx, id: string): Promise<Readable>;
  /** Makes a record for the actor; its data comes later. @throws what the Image service throws */
  create(ctx: Ctx, actor: Actor, image: NewImage): Promise<string>;
  /** Takes away a record whose data does not come. One that has its data stays. */
  discard(ctx: Ctx, id: string): Promise<void>;
  /** For the record's owner. */
  upload(ctx: Ctx, id: string, size: number, data: Readable): Promise<void>;
}

/** Which user a caged process is. */
export interface CagedUser {
  readonly uid: number;
  readonly gid: number;
}

/** What a caged process sees; everything else of the machine is not there for it. */
export interface CagedRoom {
  /** Undefined: as ourselves, who are not root then. */
  readonly user: CagedUser | undefined;
  readonly readable?: readonly string[];
  readonly writable?: readonly string[];
}

/** Enough to know a process again after we were started anew. */
export interface CagedIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly bootId: string;
}

/** A conversation with a daemon in QEMU's protocol for machines (QMP). */
export interface Monitor {
  execute(command: string, args?: Readonly<Record<string, unknown>>, timeoutMs?: number): Promise<unknown>;
  onEvent(
    listener: (event: { readonly event: string; readonly data: Readonly<Record<string, unknown>> }) => void,
  ): () => void;
  /** Resolves when the other end went away. */
  readonly closed: Promise<void>;
  close(): void;
}

/** A daemon that was just started. */
export interface StartedProgram {
  readonly identity: CagedIdentity;
  readonly exited: Promise<unknown>;
  /** Kills it, whatever it is at: for who started it and did not get what he wanted. */
  end(): void;
}

/** Programs that are shut in: they read and serve what tenants wrote. */
export interface CagedPrograms {
  /** Whether folders of the host are hidden from them but for those that they are shown. */
  readonly hidesFolders: boolean;
  /** A user of its own for a path, when we are root; the same at every call. */
  userFor(path: string): CagedUser | undefined;
  /** Gives it back, once nothing of the path is left. */
  releaseUser(path: string): void;
  /** Runs a tool to its end. @throws when it fails */
  run(
    ctx: Ctx,
    argv: readonly string[],
    room: CagedRoom,
    limits: { readonly timeoutMs: number; readonly fileBytes: number },
  ): Promise<void>;
  /** Starts a daemon that outlives us and may open sockets. */
  start(argv: readonly string[], room: CagedRoom, logPath: string): Promise<StartedProgram>;
  /** Looks whether it is shut in as it should be. @throws when not, and that is asked for */
  assertHolds(identity: CagedIdentity, room: CagedRoom): void;
  /** Whether it is still this very process, with these arguments. */
  isAlive(identity: CagedIdentity, marks: readonly string[]): boolean;
  /** Nothing to a process that has other arguments, such as one that is still on its way into its cage. */
  kill(identity: CagedIdentity, marks: readonly string[]): void;
  /** Waits so long for its first words. @throws the socket's error while nobody listens */
  monitor(socket: string, greetingTimeoutMs: number): Promise<Monitor>;
}
