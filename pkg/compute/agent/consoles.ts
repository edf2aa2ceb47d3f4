import type { Duplex } from "node:stream";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors, raceAbort, whenAborted } from "../../kernel/index.js";
import type { ConsoleKind, Driver } from "../driver.js";
import { AgentErrors } from "../errors.js";

/** Consoles that are open of one guest at one time. */
const MOST_PER_GUEST = 16;
const CHUNK_BYTES = 65_536;

/** Which console of which run of a guest. */
export interface AskedConsole {
  readonly serverId: string;
  readonly kind: ConsoleKind;
  readonly run: string;
  readonly sessionId: string;
}

/** A console from the moment in which it is asked for, so that bounds hold for all who come at once. */
interface Session extends AskedConsole {
  /** Once it is connected. */
  line?: Duplex;
  /** Somebody who came later has the serial line. */
  isTaken?: boolean;
}

/**
 * Consoles that somebody has open on this host. Nothing of them is kept: when the agent ends, so do they.
 * What a console says is read only as fast as it is taken, and what is written waits for the guest's side.
 */
export class Consoles {
  readonly #driver: Pick<Driver, "guestConsole">;
  readonly #open = new Map<string, Session>();

  constructor(driver: Pick<Driver, "guestConsole">) {
    this.#driver = driver;
  }

  /** Whether the guest has a console of that kind, and its present run. @throws GUEST_NOT_DEFINED */
  async ask(
    ctx: Ctx,
    serverId: string,
    kind: ConsoleKind,
  ): Promise<{ readonly offered: boolean; readonly run: string | undefined }> {
    const found = await this.#driver.guestConsole?.(ctx, serverId, kind);
    return { offered: found?.connect !== undefined, run: found?.run };
  }

  /**
   * What the console says, beginning with nothing as soon as it is connected. Ends when the guest or the call
   * does, or when somebody else takes the serial line.
   * @throws CONSOLE_CLOSED, TOO_MANY_CONSOLES, INVALID_ARGUMENT, GUEST_NOT_DEFINED
   */
  async *open(ctx: Ctx, asked: AskedConsole): AsyncGenerator<Buffer> {
    if (asked.sessionId === "" || this.#open.has(asked.sessionId))
      throw CommonErrors.INVALID_ARGUMENT({ field: "session_id", problem: "must be new" });
    const others = [...this.#open.values()].filter(({ serverId }) => serverId === asked.serverId);
    if (others.length >= MOST_PER_GUEST) throw AgentErrors.TOO_MANY_CONSOLES({ limit: MOST_PER_GUEST });
    const session: Session = { ...asked };
    this.#open.set(asked.sessionId, session);
    let leave = (): void => {};
    try {
      const line = await this.#connect(ctx, session, others);
      session.line = line;
      leave = whenAborted(ctx.signal, () => line.destroy());
      yield Buffer.alloc(0);
      for await (const said of untilItEnds(line)) yield* inPieces(said);
    } finally {
      leave();
      session.line?.destroy();
      this.#open.delete(asked.sessionId);
    }
  }

  /** @throws CONSOLE_CLOSED */
  async write(ctx: Ctx, sessionId: string, input: Uint8Array): Promise<void> {
    const line = this.#open.get(sessionId)?.line;
    if (line === undefined || !line.writable) throw AgentErrors.CONSOLE_CLOSED({});
    if (input.length === 0 || line.write(input)) return;
    await raceAbort(roomIn(line), ctx.signal);
    if (!line.writable) throw AgentErrors.CONSOLE_CLOSED({});
  }

  /** @param others  sessions of the guest that were asked for before */
  async #connect(ctx: Ctx, session: Session, others: readonly Session[]): Promise<Duplex> {
    const { serverId, kind, run } = session;
    const found = await this.#driver.guestConsole?.(ctx, serverId, kind);
    if (found?.connect === undefined || found.run !== run || wasTaken(session))
      throw AgentErrors.CONSOLE_CLOSED({});
    if (kind === "serial") for (const one of others) if (one.kind === "serial") takeFrom(one);
    const line = await found.connect().catch((cause: unknown) => {
      throw AgentErrors.CONSOLE_CLOSED({}, { cause });
    });
    // Whoever reads or writes sees that it has ended; that is no failure of the agent.
    line.on("error", () => {});
    if ((await this.ask(ctx, serverId, kind)).run === run && !wasTaken(session)) return line;
    line.destroy();
    throw AgentErrors.CONSOLE_CLOSED({});
  }
}

/** Asked anew after each wait. */
const wasTaken = ({ isTaken }: Session): boolean => isTaken === true;

function takeFrom(session: Session): void {
  session.isTaken = true;
  session.line?.destroy();
}

/** What comes out of a line until it ends, in whatever way. */
async function* untilItEnds(line: Duplex): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of line) yield chunk as Buffer;
  } catch {
    // It was cut: the end of a console.
  }
}

function* inPieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
}

/** Resolves when a line takes more, or has ended. */
const roomIn = (line: Duplex): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      line.off("drain", done).off("close", done);
      resolve();
    };
    line.once("drain", done).once("close", done);
  });
