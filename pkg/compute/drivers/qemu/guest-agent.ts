import { connect } from "node:net";
import type { Socket } from "node:net";
import { randomInt } from "node:crypto";
import { DriverErrors } from "../errors.js";
import { asArray, asObject } from "./qmp-client.js";

/** No answer comes near this; more means that the guest plays with us. */
const MOST_BYTES = 64 * 1024;
/** Comes before the answer to a sync: whatever was said before it is of an earlier conversation. */
const SENTINEL = 0xff;
const SILENCE_MS = 10_000;

/**
 * Asks the agent inside a guest, over the socket of its channel. What answers is a stranger's guest: answers
 * are bounded in size and time, and only a refusal or a success is taken from them.
 * @param path     of the channel's socket
 * @param command  such as "guest-set-user-password"
 * @returns the answer's `return`, unchecked
 * @throws GUEST_AGENT_MISSING when nobody answers in time, GUEST_AGENT_REFUSED with the agent's text as cause
 * @source QEMU guest agent protocol reference
 */
export async function askGuestAgent(
  path: string,
  command: string,
  args: Readonly<Record<string, unknown>>,
  silenceMs = SILENCE_MS,
): Promise<unknown> {
  const channel = await Channel.open(path, silenceMs);
  try {
    const id = randomInt(1, 2 ** 31);
    channel.send({ execute: "guest-sync-delimited", arguments: { id } }, true);
    await channel.skipTo(SENTINEL);
    if ((await channel.answer())["return"] !== id) throw DriverErrors.GUEST_AGENT_MISSING({});
    channel.send({ execute: command, arguments: args });
    const answer = await channel.answer();
    if (!Object.hasOwn(answer, "return"))
      throw DriverErrors.GUEST_AGENT_REFUSED({}, { cause: new Error(refusalIn(answer)) });
    return answer["return"];
  } finally {
    channel.close();
  }
}

/** The text of a refusal. What else a guest may have put there is not looked at. */
function refusalIn(answer: Readonly<Record<string, unknown>>): string {
  const { class: kind, desc } = asObject(answer["error"]);
  return [kind, desc].filter((one) => typeof one === "string").join(": ");
}

/** The channel's character device in QEMU. */
export const AGENT_CHARDEV = "qga0";

/**
 * Whether somebody inside the guest has the agent's channel open. A guest that is still booting, or has no
 * agent in spite of what its image says, has not: nobody would answer, and asking it costs the whole
 * patience.
 */
export async function agentListens(guest: { execute(command: string): Promise<unknown> }): Promise<boolean> {
  const chardevs = asArray(await guest.execute("query-chardev")).map(asObject);
  return chardevs.some((one) => one["label"] === AGENT_CHARDEV && one["frontend-open"] === true);
}

/** One conversation; everything in it must be said within one time limit. */
class Channel {
  readonly #socket: Socket;
  readonly #over: Promise<never>;
  readonly #timer: NodeJS.Timeout;
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};

  static async open(path: string, silenceMs: number): Promise<Channel> {
    const socket = connect(path);
    const channel = new Channel(socket, silenceMs);
    await channel.#within(new Promise<void>((resolve) => socket.once("connect", () => resolve())));
    return channel;
  }

  private constructor(socket: Socket, silenceMs: number) {
    this.#socket = socket;
    let fail: (error: Error) => void = () => {};
    this.#over = new Promise<never>((_, reject) => {
      fail = reject;
    });
    this.#over.catch(() => {});
    const missing = (cause?: Error): void =>
      fail(DriverErrors.GUEST_AGENT_MISSING({}, cause === undefined ? {} : { cause }));
    this.#timer = setTimeout(missing, silenceMs);
    socket.on("error", missing);
    socket.on("close", () => missing());
    socket.on("data", (chunk: Buffer) => {
      if (this.#bytes.length + chunk.length > MOST_BYTES) return missing();
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
  }

  send(message: object, first = false): void {
    if (first) this.#socket.write(Buffer.of(SENTINEL));
    this.#socket.write(`${JSON.stringify(message)}\n`);
  }

  async skipTo(byte: number): Promise<void> {
    for (;;) {
      const at = this.#bytes.indexOf(byte);
      if (at >= 0) {
        this.#bytes = this.#bytes.subarray(at + 1);
        return;
      }
      await this.#more();
    }
  }

  /** The next line as an object. */
  async answer(): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const end = this.#bytes.indexOf("\n");
      if (end >= 0) {
        const line = this.#bytes.subarray(0, end).toString();
        this.#bytes = this.#bytes.subarray(end + 1);
        return parse(line);
      }
      await this.#more();
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #more(): Promise<void> {
    return this.#within(
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
    );
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    try {
      return await Promise.race([work, this.#over]);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}

/** @throws GUEST_AGENT_MISSING when it is no JSON object */
function parse(line: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw DriverErrors.GUEST_AGENT_MISSING({}, { cause });
  }
  throw DriverErrors.GUEST_AGENT_MISSING({});
}
