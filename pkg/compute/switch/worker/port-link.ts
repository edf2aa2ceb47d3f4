import type { Socket } from "node:net";
import { connect } from "node:net";
import type { DropReason } from "../datapath/counters.js";
import { encodeFrame, FrameDecoder } from "./frame-codec.js";

const firstRetryMs = 20;
const longestRetryMs = 1_000;
/** Frames for a guest that does not read (paused, starved) wait up to this many bytes; more are dropped. */
const maxQueuedBytes = 1 << 20;

/**
 * The connection to QEMU's socket of one port. QEMU listens, so the link is made anew whenever either side
 * comes back: until then it tries again with growing pauses.
 */
export class PortLink {
  readonly #onFrame: (frame: Buffer) => void;
  readonly #onChange: (connected: boolean) => void;
  #path: string;
  #socket: Socket | undefined;
  #connected = false;
  #retryMs = firstRetryMs;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(path: string, on: { frame: (frame: Buffer) => void; change: (connected: boolean) => void }) {
    this.#path = path;
    this.#onFrame = on.frame;
    this.#onChange = on.change;
    this.#connect();
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Tries at once when not connected, and moves to another socket when the path is new. */
  nudge(path: string): void {
    if (path !== this.#path) {
      this.#path = path;
      this.#drop();
    }
    if (this.#connected || this.#closed) return;
    this.#retryMs = firstRetryMs;
    this.#connect();
  }

  /** @returns why the frame was not sent, or undefined */
  send(frame: Buffer): DropReason | undefined {
    if (!this.#connected || this.#socket === undefined) return "not-connected";
    if (this.#socket.writableLength + frame.length > maxQueuedBytes) return "queue-full";
    this.#socket.write(encodeFrame(frame));
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.#drop();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    const socket = connect(this.#path);
    const decoder = new FrameDecoder();
    this.#socket = socket;
    socket.on("connect", () => this.#setConnected(socket, true));
    socket.on("data", (chunk) => {
      try {
        for (const frame of decoder.push(chunk)) this.#onFrame(frame);
      } catch {
        socket.destroy(); // out of step: only a new connection helps
      }
    });
    socket.on("error", () => undefined); // always followed by close
    socket.on("close", () => this.#lost(socket));
  }

  #setConnected(socket: Socket, connected: boolean): void {
    if (socket !== this.#socket || connected === this.#connected) return;
    this.#connected = connected;
    if (connected) this.#retryMs = firstRetryMs;
    this.#onChange(connected);
  }

  #lost(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#setConnected(socket, false);
    this.#socket = undefined;
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(longestRetryMs, this.#retryMs * 2);
  }

  #drop(): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#setConnected(socket, false);
    this.#socket = undefined;
    socket.destroy();
  }
}
