import { Duplex } from "node:stream";
import type { TcpConnection } from "./connection.js";

/** Bytes held for the reader, and bytes taken from the writer ahead of the peer's acknowledgement. */
const bufferBytes = 65_535;

/**
 * A TCP connection of the switch's own stack as a Node stream, fit for `http.Server`'s `connection` event.
 */
export class TcpStream extends Duplex {
  readonly #now: () => number;
  #connection: TcpConnection | undefined;
  #resumeWriter: (() => void) | undefined;

  constructor(now: () => number) {
    super({ allowHalfOpen: true, readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes });
    this.#now = now;
    // a reset by the guest is no failure of ours; users may listen themselves
    this.on("error", () => undefined);
  }

  /** Called by the stack, right after both have been made. */
  attach(connection: TcpConnection): void {
    this.#connection = connection;
  }

  receiveSpace(): number {
    return Math.max(0, bufferBytes - this.readableLength);
  }
  received(bytes: Buffer): void {
    this.push(bytes);
  }
  peerEnded(): void {
    this.push(null);
  }

  acknowledged(): void {
    if (this.#resumeWriter === undefined || (this.#connection?.bufferedBytes ?? 0) >= bufferBytes) return;
    const resume = this.#resumeWriter;
    this.#resumeWriter = undefined;
    resume();
  }

  connectionClosed(why: "finished" | "reset" | "timeout"): void {
    if (why === "finished") this.destroy();
    else
      this.destroy(
        Object.assign(new Error(`connection ${why}`), { code: why === "reset" ? "ECONNRESET" : "ETIMEDOUT" }),
      );
  }

  override _read(): void {
    this.#connection?.spaceFreed();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#connection?.write(chunk, this.#now());
    if ((this.#connection?.bufferedBytes ?? 0) < bufferBytes) done();
    else this.#resumeWriter = done;
  }

  override _final(done: () => void): void {
    this.#connection?.end(this.#now());
    done();
  }

  /** After an orderly end the connection delivers what is left by itself; anything else is cut off. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error !== null || !this.writableFinished) this.#connection?.abort();
    done(error);
  }
}
