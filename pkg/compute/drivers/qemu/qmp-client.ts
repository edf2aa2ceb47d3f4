import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { patientTimer } from "../../../platform/process/index.js";
import { DriverErrors } from "../errors.js";

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface QmpVersion {
  readonly major: number;
  readonly minor: number;
  readonly micro: number;
}

interface Waiter {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly endWait: () => void;
}

/** No answer of a monitor comes near this; more means that something is wrong at the other end. */
const LINE_LIMIT = 16 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * One conversation with a QEMU monitor: newline-separated JSON. The process at the other end runs a
 * stranger's guest, so nothing it says is trusted to be well-formed.
 *
 * A monitor socket serves one client at a time; a second one connects but is never greeted, hence the
 * greeting's timeout.
 */
export class QmpClient {
  readonly version: QmpVersion;
  /** Resolves when the connection ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly #stream: Duplex;
  readonly #waiters = new Map<number, Waiter>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #nextId = 1;
  #ended = false;

  /** @throws MONITOR_CLOSED, HYPERVISOR_SILENT, or the socket's own error (ENOENT, ECONNREFUSED) */
  static async connect(path: string, options: { readonly greetingTimeoutMs: number }): Promise<QmpClient> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    return QmpClient.over(socket, options);
  }

  /** Speaks over any stream, e.g. the pipes of `-qmp stdio`. */
  static async over(stream: Duplex, options: { readonly greetingTimeoutMs: number }): Promise<QmpClient> {
    const lines = new LineReader(stream);
    try {
      const version = parseGreeting(await lines.first(options.greetingTimeoutMs));
      const client = new QmpClient(stream, lines, version);
      await client.execute("qmp_capabilities");
      return client;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  private constructor(stream: Duplex, lines: LineReader, version: QmpVersion) {
    this.#stream = stream;
    this.version = version;
    this.closed = new Promise((resolve) => {
      lines.follow(
        (line) => this.#onLine(line),
        () => {
          this.#ended = true;
          for (const waiter of this.#waiters.values()) {
            waiter.endWait();
            waiter.reject(DriverErrors.MONITOR_CLOSED({ step: waiter.command }));
          }
          this.#waiters.clear();
          resolve();
        },
      );
    });
  }

  /**
   * Runs one command.
   * @returns QEMU's `return` value, unchecked
   * @throws COMMAND_REFUSED (QEMU's text is the cause), HYPERVISOR_SILENT after the timeout, MONITOR_CLOSED
   */
  execute(
    command: string,
    args?: Readonly<Record<string, unknown>>,
    timeoutMs = COMMAND_TIMEOUT_MS,
  ): Promise<unknown> {
    if (this.#ended) return Promise.reject(DriverErrors.MONITOR_CLOSED({ step: command }));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const endWait = patientTimer(timeoutMs, () => {
        this.#waiters.delete(id);
        reject(DriverErrors.HYPERVISOR_SILENT({ step: command }));
      });
      this.#waiters.set(id, { command, resolve, reject, endWait });
      this.#stream.write(
        `${JSON.stringify({ execute: command, ...(args ? { arguments: args } : {}), id })}\n`,
      );
    });
  }

  /** @returns ends the subscription */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hangs up; the guest is not touched. */
  close(): void {
    this.#stream.destroy();
  }

  #onLine(line: string): void {
    const message = parseObject(line);
    if (message === undefined) return void this.#stream.destroy();
    if (typeof message["event"] === "string") {
      const event = { event: message["event"], data: asObject(message["data"]) };
      for (const listener of this.#listeners) listener(event);
      return;
    }
    const waiter = this.#waiters.get(Number(message["id"]));
    if (waiter === undefined) return;
    this.#waiters.delete(Number(message["id"]));
    waiter.endWait();
    if (!("error" in message)) return waiter.resolve(message["return"]);
    const error = asObject(message["error"]);
    const [errorClass, text] = [error["class"], error["desc"]].map((value) =>
      typeof value === "string" ? value : "",
    );
    waiter.reject(
      DriverErrors.COMMAND_REFUSED(
        { command: waiter.command, errorClass: errorClass ?? "" },
        { cause: new Error(text) },
      ),
    );
  }
}

/** Cuts a stream into lines; the first is awaited by itself, because until then there is no conversation. */
class LineReader {
  #buffer = "";
  #onLine: ((line: string) => void) | undefined;
  #onEnd: (() => void) | undefined;
  #ended = false;
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.setEncoding("utf8");
    stream.on("data", (chunk: string) => this.#take(chunk));
    stream.on("error", () => stream.destroy());
    stream.on("end", () => stream.destroy());
    stream.on("close", () => {
      this.#ended = true;
      this.#onEnd?.();
    });
  }

  first(timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(DriverErrors.HYPERVISOR_SILENT({ step: "greet" }));
      const endWait = patientTimer(timeoutMs, late);
      this.follow(
        (line) => {
          endWait();
          this.#onLine = undefined;
          resolve(line);
        },
        () => {
          endWait();
          reject(DriverErrors.MONITOR_CLOSED({ step: "greet" }));
        },
      );
    });
  }

  follow(onLine: (line: string) => void, onEnd: () => void): void {
    this.#onLine = onLine;
    this.#onEnd = onEnd;
    if (this.#ended) onEnd();
    else this.#take("");
  }

  #take(chunk: string): void {
    this.#buffer += chunk;
    for (let end = this.#buffer.indexOf("\n"); end >= 0 && this.#onLine; end = this.#buffer.indexOf("\n")) {
      const line = this.#buffer.slice(0, end).trim();
      this.#buffer = this.#buffer.slice(end + 1);
      if (line !== "") this.#onLine(line);
    }
    if (this.#buffer.length > LINE_LIMIT) this.#stream.destroy();
  }
}

function parseGreeting(line: string): QmpVersion {
  const qemu = asObject(asObject(asObject(parseObject(line)?.["QMP"])["version"])["qemu"]);
  const [major, minor, micro] = [qemu["major"], qemu["minor"], qemu["micro"]].map(Number);
  if (!Number.isInteger(major) || !Number.isInteger(minor))
    throw DriverErrors.HYPERVISOR_FAILED({ step: "greet" });
  return { major: major ?? 0, minor: minor ?? 0, micro: micro ?? 0 };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** The value itself when it is an object, else an empty one; for reading what QEMU says. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** The value itself when it is a list, else an empty one. */
export const asArray = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
