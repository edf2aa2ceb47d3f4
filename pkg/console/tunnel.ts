import type { RawData, WebSocket } from "ws";
import type { Ctx } from "../kernel/index.js";
import { CommonErrors, KilonovaError, raceAbort, whenAborted } from "../kernel/index.js";
import { isActivity } from "./domain/activity.js";
import type { ConsoleLine, FoundConsole } from "./ports.js";

/** What a browser may not have taken yet before no more is read of the console. */
const UNTAKEN_BYTES = 1 << 20;
const CHUNK_BYTES = 65_536;
/** Between the end of a console that nobody has used and that of its last call. */
const LAST_MS = 5_000;

/** How a console ended, in the words of web sockets. */
interface End {
  readonly code: number;
  readonly reason: string;
}
const ends = {
  over: { code: 1000, reason: "The console has ended" },
  idle: { code: 4000, reason: "Nobody has used the console" },
  expired: { code: 4001, reason: "The console's address has ended" },
  refused: { code: 4002, reason: "The console is not there any more" },
  failed: { code: 1011, reason: "The console could not be reached" },
  stopping: { code: 1001, reason: "The console proxy is stopping" },
} satisfies Record<string, End>;

export interface TunnelTimes {
  readonly kind: FoundConsole["kind"];
  readonly idleMs: number;
  /** So often a browser is asked whether it is still there. */
  readonly pingMs: number;
  /** Closes the console then, Unix time; undefined for never. */
  readonly endsAtMs: number | undefined;
}

/**
 * Carries bytes between a web socket and a console until one of them ends. Neither side is read faster than
 * the other takes; the web socket is closed at the end, with a reason.
 * @param ctx   its signal is the proxy's own end
 * @param open  opens the console; the context it is given ends it
 */
export async function tunnel(
  ctx: Ctx,
  socket: WebSocket,
  open: (ctx: Ctx) => ConsoleLine,
  times: TunnelTimes,
): Promise<void> {
  const ended = new AbortController();
  const outcome: { end?: End } = {};
  const end = (why: End): void => {
    if (outcome.end !== undefined) return;
    outcome.end = why;
    ended.abort(CommonErrors.CANCELLED({ what: "The console" }));
  };
  const inner: Ctx = { ...ctx, signal: ended.signal, deadlineMs: undefined };
  const line = open(inner);
  const leave = watchTimes(ctx, socket, times, end);
  socket.once("close", () => end(ends.over));
  // Its end follows, which is what counts.
  socket.on("error", () => end(ends.over));
  const input = new Input(inner, socket, line, { idleMs: times.idleMs, failed: () => end(ends.refused) });
  try {
    for await (const said of line.output) await input.passOn(said);
    end(ends.over);
  } catch (error) {
    if (outcome.end === undefined && !isRefusal(error)) ctx.log.warn("console.failed", { error });
    end(isRefusal(error) ? ends.refused : ends.failed);
  } finally {
    leave();
    const { code, reason } = outcome.end ?? ends.over;
    // Else the browser's answer is never read.
    socket.resume();
    socket.close(code, reason);
  }
}

/** Whether the console is not there (any more), or too many of it are. */
const isRefusal = (error: unknown): boolean =>
  error instanceof KilonovaError && ["refused", "missing", "quota"].includes(error.kind);

interface InputOptions {
  readonly idleMs: number;
  /** Called when the console takes no more. */
  readonly failed: () => void;
}

/** What comes from the browser waits in the order in which it came, and no more is read of it meanwhile. */
class Input {
  readonly #ctx: Ctx;
  readonly #socket: WebSocket;
  readonly #line: ConsoleLine;
  readonly #options: InputOptions;
  readonly #waiting: Buffer[] = [];
  #writing = false;
  #connected = false;

  constructor(ctx: Ctx, socket: WebSocket, line: ConsoleLine, options: InputOptions) {
    [this.#ctx, this.#socket, this.#line, this.#options] = [ctx, socket, line, options];
    socket.on("message", (data) => {
      if (ctx.signal.aborted) return;
      this.#waiting.push(bytesOf(data));
      socket.pause();
      void this.#write();
    });
  }

  /** Gives the browser what the console said; waits while it has much to take. */
  async passOn(said: Uint8Array): Promise<void> {
    this.#connected = true;
    void this.#write();
    if (said.length === 0 || this.#socket.readyState !== this.#socket.OPEN) return;
    const taken = new Promise<void>((resolve) => this.#socket.send(said, () => resolve()));
    if (this.#socket.bufferedAmount > UNTAKEN_BYTES) await raceAbort(taken, this.#ctx.signal);
  }

  async #write(): Promise<void> {
    if (this.#writing || !this.#connected) return;
    this.#writing = true;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next())
        await this.#line.write(this.#patient(), next);
      this.#socket.resume();
    } catch {
      // Whatever it was: the console takes no more.
      this.#options.failed();
    } finally {
      this.#writing = false;
    }
  }

  /** A guest takes its time. Before it is too long, nobody has used the console. */
  #patient(): Ctx {
    return { ...this.#ctx, deadlineMs: Date.now() + this.#options.idleMs + LAST_MS };
  }

  /** All that waits, as far as it goes into one message. */
  #next(): Buffer | undefined {
    if (this.#waiting.length === 0) return undefined;
    const all = Buffer.concat(this.#waiting.splice(0));
    if (all.length > CHUNK_BYTES) this.#waiting.push(all.subarray(CHUNK_BYTES));
    return all.subarray(0, CHUNK_BYTES);
  }
}

const bytesOf = (data: RawData): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.isBuffer(data) ? data : Buffer.from(data);

/** Ends a console whose time is over, on which nobody works, or whose browser is gone. @returns stops it */
function watchTimes(
  ctx: Ctx,
  socket: WebSocket,
  { kind, idleMs, pingMs, endsAtMs }: TunnelTimes,
  end: (why: End) => void,
): () => void {
  let answered = true;
  const idle = setTimeout(() => end(ends.idle), idleMs);
  socket.on("message", (data) => {
    if (isActivity(kind, bytesOf(data))) idle.refresh();
  });
  socket.on("pong", () => (answered = true));
  const pings = setInterval(() => {
    // Of whom nothing is read, no answer is heard: TCP asks in our place.
    if (socket.isPaused) return void (answered = true);
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingMs);
  const last =
    endsAtMs === undefined
      ? undefined
      : setTimeout(() => end(ends.expired), Math.max(0, endsAtMs - Date.now()));
  const stop = (): void => end(ends.stopping);
  const leave = whenAborted(ctx.signal, stop);
  return () => {
    clearTimeout(idle);
    clearInterval(pings);
    clearTimeout(last);
    leave();
  };
}
