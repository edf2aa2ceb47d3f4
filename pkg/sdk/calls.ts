import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  Message,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Transport } from "@connectrpc/connect";
import type { Backoff } from "./backoff.js";
import { pauseMs, sleep } from "./backoff.js";
import type { KilonovaError } from "./errors.js";
import { errorOf } from "./errors.js";
import type { Session } from "./auth/session.js";

/** For one call. */
export interface CallOptions {
  /** All attempts and the pauses between them together, in ms. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Makes calls: with a valid token, and as often as it takes where that does no harm. */
export class Caller {
  readonly #transport: Transport;
  readonly #session: Session;
  readonly backoff: Backoff;

  constructor(transport: Transport, session: Session, backoff: Backoff) {
    this.#transport = transport;
    this.#session = session;
    this.backoff = backoff;
  }

  /** @throws KilonovaError */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    init: MessageInitShape<I>,
    { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const message = create(method.input, init);
    const repeatable = giveToken(method, message) || isRepeatable(method, message);
    const endsAt = Date.now() + timeoutMs;
    for (let attempt = 1; ; attempt += 1)
      try {
        return await this.#authenticated(signal, repeatable, async (header) => {
          const left = Math.max(1, endsAt - Date.now());
          return (await this.#transport.unary(method, signal, left, header, message)).message;
        });
      } catch (thrown) {
        const error = errorOf(thrown);
        const pause = pauseMs(this.backoff, attempt, error.retryAfterMs);
        if (!repeatable || !mayPass(error) || Date.now() + pause >= endsAt) throw error;
        await sleep(pause, signal).catch((reason: unknown) => {
          throw errorOf(reason);
        });
      }
  }

  /** One stream, until it ends, breaks or outlives its token. @throws KilonovaError */
  async *stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    init: MessageInitShape<I>,
    signal?: AbortSignal,
  ): AsyncGenerator<MessageShape<O>, void> {
    async function* once() {
      yield init;
    }
    let token = "";
    let begun = false;
    try {
      // A refusal for the token comes with the first message, not with the answer to the call.
      const [first, rest] = await this.#authenticated(signal, true, async (header) => {
        token = header["x-auth-token"];
        const { message } = await this.#transport.stream(method, signal, undefined, header, once());
        const messages = message[Symbol.asyncIterator]();
        return [await messages.next(), messages] as const;
      });
      try {
        begun = true;
        for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
      } finally {
        await rest.return?.();
      }
    } catch (thrown) {
      const error = errorOf(thrown);
      // The token's life has ended, and the stream with it: the next one begins with another token.
      const over = error.code === "UNAUTHENTICATED" && begun && this.#session.refuse(token);
      if (!over) throw error;
    }
  }

  /**
   * Logs in again once when the token is refused. What may not be repeated is tried again only when it was
   * refused before anything was done.
   */
  async #authenticated<T>(
    signal: AbortSignal | undefined,
    repeatable: boolean,
    attempt: (header: { "x-auth-token": string }) => Promise<T>,
  ): Promise<T> {
    const token = await this.#session.token(signal);
    try {
      return await attempt({ "x-auth-token": token });
    } catch (thrown) {
      const error = errorOf(thrown);
      if (error.code !== "UNAUTHENTICATED" || !this.#session.refuse(token)) throw error;
      if (!repeatable && !error.is(REFUSED_AT_THE_DOOR)) throw error;
      return await attempt({ "x-auth-token": await this.#session.token(signal) });
    }
  }
}

/**
 * The cloud looks at tokens before it looks at requests, and then gives this reason. With any other a token
 * was refused, or ended, while the call was under way.
 */
const REFUSED_AT_THE_DOOR = "TOKEN_INVALID";

/** Whether the same call may have another outcome a little later. */
export function mayPass(error: KilonovaError): boolean {
  return (
    error.code === "UNAVAILABLE" ||
    error.code === "DEADLINE_EXCEEDED" ||
    error.retryAfterMs !== undefined ||
    brokeOff(error)
  );
}

/** Whether nobody answered: the cloud's own answers name the request. */
const brokeOff = ({ code, requestId }: KilonovaError): boolean =>
  requestId === undefined && (code === "UNKNOWN" || code === "INTERNAL");

/** What is to happen only to a certain state has happened to it when it is asked for again. */
const isRepeatable = (method: DescMethod, message: Message): boolean =>
  method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN &&
  !(message as Message & { expectedGeneration?: bigint }).expectedGeneration;

/** Gives a request a client token, so that it may be repeated. @returns whether it takes one */
function giveToken(method: DescMethod, message: Message): boolean {
  if (method.input.field["clientToken"] === undefined) return false;
  const asked = message as Message & { clientToken?: string };
  asked.clientToken ||= crypto.randomUUID();
  return true;
}
