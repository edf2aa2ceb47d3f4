import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../kernel/index.js";
import { traced } from "../../kernel/index.js";
import type { Capability, MessageType } from "../../model/operation-declaration.js";
import type { Driver } from "../driver.js";

/** What the agent puts at a command's disposal. Every method is repeatable. */
export interface CommandHost {
  readonly driver: Driver;
  /** Images, documents, disks and definition of a guest, without starting it. */
  define(ctx: Ctx, instance: InstanceRecord, secrets: ServerSecrets | undefined): Promise<void>;
  /**
   * Brings an image into the host's cache. @returns whether it was not there yet @throws IMAGE_REFUSED,
   * IMAGE_UNAVAILABLE and other reasons of the image
   */
  cacheImage(ctx: Ctx, imageId: string): Promise<boolean>;
  /** Connects the instance's ports with the switch, and lets go of others. */
  plug(ctx: Ctx, instance: InstanceRecord): Promise<void>;
  /** Lets go of all of a server's ports. */
  unplug(ctx: Ctx, serverId: string): Promise<void>;
  /** What the hypervisor says of a guest; NOSTATE for one that it does not know. */
  powerState(ctx: Ctx, serverId: string): Promise<PowerState>;
}

/** One start of a command. */
export interface CommandCall {
  /** Aborts when a newer command takes over. */
  readonly ctx: Ctx;
  /** "" for a command on the host itself. */
  readonly serverId: string;
  readonly host: CommandHost;
}

/**
 * A command to an agent: one file declares all of it. The conductor sends it, typed by `input` and `output`;
 * the agent journals it, runs it at most once at a time per server, or per host, and repeats the journaled
 * output.
 */
export interface Command<I = unknown, O = unknown> {
  /** Never reused. */
  readonly name: string;
  /** What it is about: commands on the host are sent by the host's own operations. Absent: a server. */
  readonly subject?: "server" | "host";
  readonly input: MessageType<I>;
  readonly output: MessageType<O>;
  /** What the driver must be able to do. */
  readonly capability?: Capability;
  /** What becomes of it when a newer command takes over: it is told to stop, or waited for. */
  readonly whenOvertaken: "stops" | "finishes";
  /** Repeatable. @throws what the operation's owner may read; `cause` is for administrators */
  run(call: CommandCall, input: I): Promise<O>;
}

/** A part of a command with a span of its own; not begun once a newer command has taken over. */
export function part<T>(ctx: Ctx, name: string, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  ctx.signal.throwIfAborted();
  return traced(ctx, name, {}, work);
}

/** @returns the command as all commands are listed */
export const listed = <I, O>(command: Command<I, O>): Command => command as unknown as Command;
