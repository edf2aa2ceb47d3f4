import type { Response } from "express";
import { whenAborted } from "../../kernel/signals.js";

/** How long a client that takes nothing may take for the last event, in ms. */
const FAREWELL_MS = 5_000;

/** One event as server-sent events have it. */
export interface SentEvent {
  readonly event: string;
  /** Comes back as `Last-Event-ID`; "" leaves the last one in force. One line. */
  readonly id: string;
  /** JSON in one line. */
  readonly data: string | Buffer;
}

/**
 * An answer of server-sent events. It holds no more than what the client has not taken of one event: `send`
 * waits until there is room for the next.
 */
export class EventStream {
  readonly #res: Response;
  readonly #signal: AbortSignal;
  readonly #heartbeat: NodeJS.Timeout;

  /** @param signal  ends the waiting for room; nothing is sent by itself */
  constructor(res: Response, signal: AbortSignal, heartbeatMs: number) {
    this.#res = res;
    this.#signal = signal;
    res.on("error", () => {}); // the client left while something was written
    res.setHeader("Content-Type", "text/event-stream");
    res.setHeader("Cache-Control", "no-store, no-transform");
    res.setHeader("X-Accel-Buffering", "no");
    // Nothing follows on this connection: a gateway that stops need not wait for it.
    res.setHeader("Connection", "close");
    res.flushHeaders();
    this.#heartbeat = setInterval(() => {
      if (!res.writableNeedDrain) res.write(": still here\n\n");
    }, heartbeatMs).unref();
    res.once("close", () => clearInterval(this.#heartbeat));
  }

  /** Resolves when there is room again, or the stream ends. */
  async send(sent: SentEvent): Promise<void> {
    this.#heartbeat.refresh();
    if (!this.#write(sent)) await this.#room();
  }

  /** The last event. A client that does not take it is cut off. */
  end(last?: SentEvent): void {
    clearInterval(this.#heartbeat);
    if (this.#res.destroyed) return;
    if (last) this.#write(last);
    this.#res.end();
    const cut = setTimeout(() => this.#res.destroy(), FAREWELL_MS).unref();
    this.#res.once("close", () => clearTimeout(cut));
  }

  #write({ event, id, data }: SentEvent): boolean {
    const res = this.#res;
    res.cork();
    res.write(`event: ${event}\n${id === "" ? "" : `id: ${id}\n`}data: `);
    res.write(data);
    const hasRoom = res.write("\n\n");
    process.nextTick(() => res.uncork());
    return hasRoom;
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      let leave = (): void => {};
      const go = (): void => {
        this.#res.off("drain", go);
        leave();
        resolve();
      };
      this.#res.once("drain", go);
      leave = whenAborted(this.#signal, go);
    });
  }
}
