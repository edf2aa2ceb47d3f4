import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { encodeFrame, FrameDecoder } from "../worker/frame-codec.js";

/** The guest's end of a port as QEMU makes it: listens on a unix socket and exchanges frames. */
export class FakeNic {
  readonly received: Buffer[] = [];
  readonly #server: Server;
  #socket: Socket | undefined;
  #notify: () => void = () => undefined;

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#socket = socket;
      const decoder = new FrameDecoder();
      socket.on("data", (chunk) => {
        this.received.push(...decoder.push(chunk));
        this.#notify();
      });
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (this.#socket === socket) this.#socket = undefined;
        this.#notify();
      });
      this.#notify();
    });
  }

  static async listen(path: string): Promise<FakeNic> {
    rmSync(path, { force: true });
    const server = createServer().listen(path);
    await once(server, "listening");
    return new FakeNic(server);
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  send(frame: Buffer): void {
    this.#socket?.write(encodeFrame(frame));
  }
  sendRaw(bytes: Buffer): void {
    this.#socket?.write(bytes);
  }
  /** Stops or goes on reading, as a paused guest does. */
  pause(paused: boolean): void {
    if (paused) this.#socket?.pause();
    else this.#socket?.resume();
  }

  /**
   * Resolves when the condition holds; it is looked at whenever something happens here.
   * @throws after a minute
   */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(new Error(`condition not met; ${this.received.length} frames, connected ${this.connected}`)),
        60_000,
      );
      this.#notify = () => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#notify = () => undefined;
        resolve();
      };
    });
  }

  /** Ends as a killed QEMU would. */
  async close(): Promise<void> {
    this.#socket?.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}
