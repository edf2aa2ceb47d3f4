import type { Ctx } from "../kernel/index.js";

/** A console that a token opens. */
export interface FoundConsole {
  readonly serverId: string;
  readonly projectId: string;
  readonly kind: "vnc" | "serial";
  /** Host of the guest, and where its agent listens. */
  readonly host: string;
  readonly agentAddress: string;
  /** The guest's run for which the token was made. */
  readonly run: string;
  /** When the token ends, Unix time. */
  readonly expiresAtMs: number;
}

/** A console that is open. */
export interface ConsoleLine {
  /** What it says, beginning with nothing once it is connected. Ends when the guest or the context does. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Tells it something, at most 65,536 bytes; one after the other. */
  write(ctx: Ctx, input: Uint8Array): Promise<void>;
}

/** What the proxy asks of the cluster. */
export interface ConsolesPort {
  /** @returns undefined when the token opens nothing, any more; @throws when nobody can say */
  find(ctx: Ctx, token: string): Promise<FoundConsole | undefined>;
  /** @param ctx  ends the line when it is aborted */
  open(ctx: Ctx, console: FoundConsole): ConsoleLine;
}
