import { Readable } from "node:stream";
import { request as sendRequest } from "undici";
import type { Dispatcher } from "undici";
import {
  asKilonovaError,
  CommonErrors,
  follow,
  KilonovaError,
  remainingMs,
  within,
} from "../../kernel/index.js";
import type { Clock, Ctx } from "../../kernel/index.js";

export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  /** Added to the URL; arrays repeat the name. */
  readonly query?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Says of a write that nothing comes of doing it twice, so it is repeated as reads are. */
  readonly repeatable?: boolean;
  /** Sent as it comes; such a request is never repeated. */
  readonly stream?: AsyncIterable<Uint8Array>;
  /** Overrides the caller's deadline per call. */
  readonly timeoutMs?: number;
}

/** An answer's headers, by names in lower case; those that came several times are joined with commas. */
export type AnswerHeaders = Readonly<Record<string, string | undefined>>;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The body as JSON; undefined when it is empty or not JSON. */
  readonly json: unknown;
}

export interface HttpStream {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface HttpClientOptions {
  /** Names the other side in errors: "The Image service". */
  readonly what: string;
  readonly clock: Pick<Clock, "sleep">;
  /** 0..1, for the jitter of retries. */
  readonly random: () => number;
  /** Per attempt sequence, i.e. the whole call. Default 30,000. */
  readonly timeoutMs?: number;
  /** Attempts of a GET or HEAD in all. Default 3. */
  readonly attempts?: number;
  /** Larger answers are refused. Default 16 MiB. */
  readonly maxAnswerBytes?: number;
  /** What connections are made by; undici's own pool by default. */
  readonly dispatcher?: Dispatcher;
}

/**
 * JSON over HTTP towards one service: deadlines, cancellation, bounded answers, request ids and trace
 * headers. Only GET, HEAD and what is called repeatable are repeated, on 429, 502, 503, 504 and lost
 * connections: after the time that the answer's `Retry-After` names if that leaves any, else with full
 * jitter. GET and HEAD follow redirects on the same host. An answer of any status is an answer; only its
 * absence throws.
 */
export interface HttpClient {
  /** @throws UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED */
  call(ctx: Ctx, request: HttpRequest): Promise<HttpAnswer>;
  /** For long bodies: `timeoutMs` covers the headers only, the body runs until `ctx` ends. */
  open(ctx: Ctx, request: HttpRequest): Promise<HttpStream>;
}

const BACKOFF_MS = 100;
const PASSING = new Set([429, 502, 503, 504]);
const REDIRECTS = new Set([301, 302, 307, 308]);
const MAX_REDIRECTS = 3;

export function httpClient(options: HttpClientOptions): HttpClient {
  const { what, attempts = 3, timeoutMs = 30_000, maxAnswerBytes = 16 * 1024 * 1024 } = options;

  const once = async (ctx: Ctx, request: HttpRequest): Promise<HttpAnswer> => {
    const response = await send(ctx, request, options);
    const text = await readAll(response.body, maxAnswerBytes, what);
    return { status: response.status, headers: response.headers, json: parse(text) };
  };

  /**
   * Tries again as long as that may help and the deadline allows. @param spare frees an answer that is not
   * wanted
   */
  const repeating = async <A extends Pick<HttpAnswer, "status" | "headers">>(
    ctx: Ctx,
    request: HttpRequest,
    attemptOnce: () => Promise<A>,
    spare: (answer: A) => Promise<void>,
  ): Promise<A> => {
    const tries = !request.stream && (isRead(request) || request.repeatable) ? attempts : 1;
    for (let attempt = 1; ; attempt++) {
      const outcome = await attemptOnce().catch((error: unknown) => normalize(error, ctx, what));
      const failed = outcome instanceof KilonovaError;
      const askedMs = failed ? undefined : retryAfterMs(outcome.headers);
      const passing = failed ? outcome.kind === "unavailable" : PASSING.has(outcome.status);
      if (!passing || attempt >= tries || (askedMs ?? 0) >= remainingMs(ctx)) {
        if (failed) throw outcome;
        return outcome;
      }
      if (!failed) await spare(outcome);
      ctx.log.debug("http.call.retried", { what, attempt });
      await options.clock.sleep(askedMs ?? options.random() * BACKOFF_MS * 2 ** attempt, ctx.signal);
    }
  };

  return {
    call: (ctx, request) =>
      within(ctx, request.timeoutMs ?? timeoutMs, what, (inner) =>
        repeating(
          inner,
          request,
          () => once(inner, request),
          async () => {},
        ),
      ),
    open: async (ctx, request) => {
      const headersMs = request.timeoutMs ?? timeoutMs;
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(CommonErrors.DEADLINE_EXCEEDED({ what })), headersMs);
      // Until the body is read or given up.
      const release = follow(controller, ctx.signal);
      const inner: Ctx = {
        ...ctx,
        signal: controller.signal,
        deadlineMs: Math.min(ctx.deadlineMs ?? Infinity, Date.now() + headersMs),
      };
      try {
        const response = await repeating(
          inner,
          request,
          () => send(inner, request, options),
          ({ body }) => body.dump(),
        );
        response.body.once("close", release);
        return {
          status: response.status,
          headers: response.headers,
          body: chunks(response.body, inner, what),
        };
      } catch (error) {
        release();
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

type Body = Dispatcher.ResponseData["body"];

async function send(
  ctx: Ctx,
  request: HttpRequest,
  { dispatcher }: HttpClientOptions,
): Promise<HttpStream & { readonly body: Body }> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "X-OpenStack-Request-ID": ctx.globalRequestId || ctx.requestId,
    ...request.headers,
  };
  if (ctx.span.traceparent) headers["traceparent"] = ctx.span.traceparent;
  if (request.json !== undefined) headers["Content-Type"] ??= "application/json";
  const sent = request.stream
    ? Readable.from(request.stream)
    : request.json === undefined
      ? null
      : JSON.stringify(request.json);
  let url = withQuery(request.url, request.query);
  for (let hops = 0; ; hops++) {
    const {
      statusCode: status,
      headers: came,
      body,
    } = await sendRequest(url, {
      method: request.method,
      headers,
      body: sent,
      signal: ctx.signal,
      // An answer to a long body comes long after its beginning; its sender says how long that may be.
      ...(request.stream ? { headersTimeout: 0 } : {}),
      ...(dispatcher && { dispatcher }),
    });
    const answer = { status, headers: joined(came), body };
    const next = isRead(request) && hops < MAX_REDIRECTS ? redirectOf(answer, url) : undefined;
    if (next === undefined) return answer;
    await body.dump();
    url = next;
  }
}

const joined = (headers: Dispatcher.ResponseData["headers"]): AnswerHeaders =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );

const isRead = ({ method }: HttpRequest): boolean => method === "GET" || method === "HEAD";

/** Where a redirect leads, if a token may go there: to the same host, and not from https to http. */
function redirectOf(
  { status, headers }: Pick<HttpAnswer, "status" | "headers">,
  from: string,
): string | undefined {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined || !URL.canParse(location, from)) return undefined;
  const [before, after] = [new URL(from), new URL(location, from)];
  const safe =
    after.protocol === before.protocol || (before.protocol === "http:" && after.protocol === "https:");
  return safe && after.hostname === before.hostname ? after.href : undefined;
}

/** How long the other side asks to be left alone, in seconds or until a date; undefined when it does not. */
function retryAfterMs(headers: AnswerHeaders): number | undefined {
  const text = headers["retry-after"]?.trim() ?? "";
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const at = text === "" ? NaN : Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function withQuery(url: string, query: HttpRequest["query"]): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of typeof value === "string" ? [value] : value) params.append(name, one);
  }
  const text = params.toString();
  return text === "" ? url : `${url}${url.includes("?") ? "&" : "?"}${text}`;
}

/** Turns whatever the transport throws into an error of ours; what aborted the call wins over its symptom. */
function normalize(error: unknown, ctx: Ctx, what: string): KilonovaError {
  if (error instanceof KilonovaError) return error;
  if (ctx.signal.aborted) return asKilonovaError(ctx.signal.reason);
  return CommonErrors.UNAVAILABLE({ what }, { cause: error });
}

async function readAll(body: AsyncIterable<Uint8Array>, maxBytes: number, what: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.byteLength;
    // Leaving the loop ends the connection.
    if (size > maxBytes)
      throw new KilonovaError({
        kind: "internal",
        domain: "http",
        reason: "ANSWER_TOO_LARGE",
        message: `${what} sent an answer that is too large.`,
      });
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

async function* chunks(body: AsyncIterable<Uint8Array>, ctx: Ctx, what: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of body) yield part;
  } catch (error) {
    throw normalize(error, ctx, what);
  }
}

function parse(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // HTML from a proxy, say: the status tells enough.
  }
}
