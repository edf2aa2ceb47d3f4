import type { InstancePort, InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { OperationProgress } from "../../../gen/kilonova/type/v1/operation.js";
import type { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { ImageRef, ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../kernel/index.js";
import { traced } from "../../kernel/index.js";
import type { MessageType } from "../../model/operation-declaration.js";
import type {
  Arrival,
  DiskPhase,
  DriverWith,
  GuestInterface,
  GuestVolume,
  GuestSpec,
  ImagePhase,
  OptionalMethod,
  PreparedImage,
  RescueSpec,
  SnapshotData,
  Tell,
  UploadPhase,
  WorkProgress,
} from "../driver.js";

/** What a guest is rescued from. */
export interface RescueImages {
  readonly image: ImageRef;
  readonly kernel: ImageRef | undefined;
  readonly ramdisk: ImageRef | undefined;
}

/** A guest that leaves another host, and that host's agent. */
export interface GuestElsewhere {
  readonly serverId: string;
  /** As the guest was offered under. */
  readonly transferId: string;
  readonly host: string;
  readonly address: string;
}

/** What may stand for images of a guest that the Image service no longer has. */
export type ImagesInstead = Readonly<
  Partial<Record<"image" | "kernel" | "ramdisk", PreparedImage | undefined>>
>;

/** What the agent puts at a command's disposal. Every method is repeatable. */
export interface CommandHost<M extends OptionalMethod = never> {
  readonly driver: DriverWith<M>;
  /**
   * What the driver makes a guest from, with its images on this host: the first half of `define`.
   * @param instead  becomes the root image, the kernel or the RAM disk, as it is given, when the Image
   *   service no longer has the one that was accepted
   */
  specOf(
    ctx: Ctx,
    instance: InstanceRecord,
    secrets: ServerSecrets | undefined,
    tell?: Tell<ImagePhase>,
    instead?: ImagesInstead,
  ): Promise<GuestSpec>;
  /**
   * Reads disks that another host's agent offers to this one. What breaks is gone on with, for minutes when
   * nobody answers there.
   */
  disksFrom(guest: GuestElsewhere): Arrival["open"];
  /** Images, documents, disks and definition of a guest, without starting it. */
  define(
    ctx: Ctx,
    instance: InstanceRecord,
    secrets: ServerSecrets | undefined,
    tell?: Tell<ImagePhase | DiskPhase>,
  ): Promise<void>;
  /**
   * Images and documents of a rescue; nothing of the guest changes.
   * @throws as `define`
   */
  prepareRescue(
    ctx: Ctx,
    instance: InstanceRecord,
    from: RescueImages,
    secrets: ServerSecrets | undefined,
    tell?: Tell<ImagePhase>,
  ): Promise<RescueSpec>;
  /**
   * Brings an image into the host's cache.
   * @returns whether it was not there yet
   * @throws IMAGE_REFUSED, IMAGE_UNAVAILABLE, IMAGE_REPLACED and other reasons of the image
   */
  cacheImage(ctx: Ctx, image: ImageRef): Promise<boolean>;
  /**
   * Gives a queued image its data; one that is active already has been given it before. Tried again while the
   * Image service is away.
   * @param open  begins at the data's beginning, each time
   * @throws IMAGE_NOT_FOUND, IMAGE_CONFLICT, IMAGE_QUOTA, IMAGE_UNAVAILABLE
   */
  uploadImage(
    ctx: Ctx,
    imageId: string,
    open: () => Promise<SnapshotData>,
    tell?: Tell<UploadPhase>,
  ): Promise<void>;
  /**
   * Makes sure that a guest can be started: images that its disks stand on are fetched again when they were
   * lost, its ports are plugged. One that is up has no need of the former, unless it is started anew.
   * @throws BASE_IMAGE_LOST, and what fetching images throws
   */
  makeReady(ctx: Ctx, instance: InstanceRecord, anew?: "anew"): Promise<void>;
  /** Connects the instance's ports with the switch, and lets go of others. */
  plug(ctx: Ctx, instance: InstanceRecord): Promise<void>;
  /** Lets go of all of a server's ports. */
  unplug(ctx: Ctx, serverId: string): Promise<void>;
  /** Connects some of a guest's ports, or tells the switch what is otherwise about them. */
  plugPorts(ctx: Ctx, serverId: string, hostname: string, ports: readonly InstancePort[]): Promise<void>;
  /** Lets go of some of a server's ports. @param portIds  at least one */
  unplugPorts(ctx: Ctx, serverId: string, portIds: readonly string[]): Promise<void>;
  /** A port as the driver puts it into the guest. */
  interfaceOf(serverId: string, port: InstancePort): GuestInterface;
  /** A volume as its guest has it. @throws CONNECTION_NOT_SUPPORTED, INVALID_ARGUMENT */
  volumeOf(device: BlockDeviceRecord): GuestVolume;
  /** What the hypervisor says of a guest; NOSTATE for one that it does not know. */
  powerState(ctx: Ctx, serverId: string): Promise<PowerState>;
}

/** One start of a command. */
export interface CommandCall<P extends string = never, M extends OptionalMethod = never> {
  /** Aborts when the operation is given up, or a newer command takes over. */
  readonly ctx: Ctx;
  /** "" for a command on the host itself. */
  readonly serverId: string;
  readonly host: CommandHost<M>;
  /** Tells how far it is; the phases are those that the command declares. */
  readonly tell: Tell<P>;
}

/** How a command is taken back, by another one. Built with `undoneBy`. */
export interface Undo<I> {
  readonly command: Command;
  /** From the input of what is taken back to that of its undo. */
  input(of: I): unknown;
}

/** What not every host can do. */
export interface Capability<M extends OptionalMethod = OptionalMethod> {
  /**
   * As hosts register it and operations ask for it; stored, so that it never gets another meaning. Commands
   * may share one: a host has it whose driver can do all of them.
   */
  readonly name: string;
  /** The driver's methods that `run` calls. */
  readonly methods: readonly M[];
}

/**
 * A command to an agent: one file declares all of it. The conductor sends it, typed by `input` and `output`;
 * the agent journals it, runs it at most once at a time per server, or per host, and repeats the journaled
 * output. This is a command whatever it needs of the driver; `Command` is how one is written.
 */
export interface AnyCommand<I, O, P extends string = never, M extends OptionalMethod = OptionalMethod> {
  /** Never reused. */
  readonly name: string;
  /** What it is about: commands on the host are sent by the host's own operations. Absent: a server. */
  readonly subject?: "server" | "host";
  readonly input: MessageType<I>;
  readonly output: MessageType<O>;
  /** What the host must be able to do; absent: what every driver can. */
  readonly capability?: Capability<M>;
  /**
   * The phases that it tells of, in their order, each with its share of the whole in percent; together they
   * are 100. Absent: it tells nothing.
   */
  readonly progress?: Readonly<Record<P, number>>;
  /**
   * What becomes of it while it runs, when its operation is given up (cancelled, out of time) or a newer
   * command takes over: it is told to stop through its context's signal, or let finish and waited for. An
   * operation is not cancelled while it waits for one that finishes.
   */
  readonly whenGivenUp: "stops" | "finishes";
  /**
   * What takes it back: after it ended, however; while it runs, which stops it; and before it came, after
   * which it never runs. Absent: nothing is left to take back once it is stopped.
   */
  readonly undo?: Undo<I>;
  /**
   * A failure is no answer that is kept once it was given: asked again after that, it runs again. For what
   * must succeed in the end, such as undos.
   */
  readonly untilDone?: true;
  /** Repeatable. @throws what the operation's owner may read; `cause` is for administrators */
  run(call: CommandCall<P, M>, input: I): Promise<O>;
}

/** A command that calls these optional methods of the driver, and declares the capability that they are. */
export type Command<
  I = unknown,
  O = unknown,
  P extends string = never,
  M extends OptionalMethod = never,
> = AnyCommand<I, O, P, M> & ([M] extends [never] ? object : { readonly capability: Capability<M> });

/**
 * An undo by another command, which must be repeatable, find nothing to do where the first one never ran, and
 * be declared `untilDone`.
 */
export const undoneBy = <I, U>(
  command: AnyCommand<U, unknown> & { readonly untilDone: true },
  input: (of: I) => U,
): Undo<I> => ({ command: listed(command), input });

/** A part of a command with a span of its own; not begun once a newer command has taken over. */
export function part<T>(ctx: Ctx, name: string, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  ctx.signal.throwIfAborted();
  return traced(ctx, name, {}, work);
}

/**
 * What a command's own figures mean for the whole of it. @returns undefined for a phase that it does not
 * declare
 */
export function measured(
  { progress = {} }: Pick<Command, "progress">,
  { phase, done, total }: WorkProgress,
): OperationProgress | undefined {
  const phases = Object.entries<number>(progress);
  const at = phases.findIndex(([name]) => name === phase);
  const share = phases[at]?.[1];
  if (share === undefined) return undefined;
  const before = phases.slice(0, at).reduce((sum, [, one]) => sum + one, 0);
  const whole = Math.ceil(total);
  const did = Math.floor(whole > 0 ? Math.min(done, whole) : done);
  return OperationProgress.fromPartial({
    percent: before + (whole > 0 ? Math.floor((share * did) / whole) : 0),
    phase,
    done: BigInt(did),
    total: BigInt(whole),
  });
}

/** @returns the command as all commands are listed */
export const listed = <I, O, P extends string>(command: AnyCommand<I, O, P>): Command =>
  command as unknown as Command;
