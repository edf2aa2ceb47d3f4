import { status as GrpcCode } from "@grpc/grpc-js";
import {
  BadRequest,
  ErrorInfo,
  PreconditionFailure,
  QuotaFailure,
  RequestInfo,
  RetryInfo,
} from "../../../gen/google/rpc/error_details.js";
import { Status } from "../../../gen/google/rpc/status.js";
import type { ErrorKind } from "../../kernel/index.js";
import { KilonovaError, asKilonovaError, retryAfterMs } from "../../kernel/index.js";

const codeOfKind: Readonly<Record<ErrorKind, GrpcCode>> = {
  invalid: GrpcCode.INVALID_ARGUMENT,
  unauthenticated: GrpcCode.UNAUTHENTICATED,
  forbidden: GrpcCode.PERMISSION_DENIED,
  missing: GrpcCode.NOT_FOUND,
  exists: GrpcCode.ALREADY_EXISTS,
  conflict: GrpcCode.ABORTED,
  refused: GrpcCode.FAILED_PRECONDITION,
  quota: GrpcCode.RESOURCE_EXHAUSTED,
  unsupported: GrpcCode.UNIMPLEMENTED,
  unavailable: GrpcCode.UNAVAILABLE,
  deadline: GrpcCode.DEADLINE_EXCEEDED,
  cancelled: GrpcCode.CANCELLED,
  internal: GrpcCode.INTERNAL,
};
/** The name of the gRPC code that a kind of error has. */
export const codeNames = Object.fromEntries(
  Object.entries(codeOfKind).map(([kind, code]) => [kind, GrpcCode[code]]),
) as Readonly<Record<ErrorKind, string>>;
const kindOfCode = new Map<number, ErrorKind>(
  Object.entries(codeOfKind).map(([kind, code]) => [code, kind as ErrorKind]),
);

const TYPE_PREFIX = "type.googleapis.com/google.rpc.";
const ERROR_INFO = `${TYPE_PREFIX}ErrorInfo`;
const BAD_REQUEST = `${TYPE_PREFIX}BadRequest`;
const QUOTA_FAILURE = `${TYPE_PREFIX}QuotaFailure`;
const PRECONDITION_FAILURE = `${TYPE_PREFIX}PreconditionFailure`;
const DOMAIN_SUFFIX = ".kilonova";
/** Most quotas that one refusal names; a call needs fewer. */
const MAX_QUOTAS = 8;
/** When to come again after `unavailable`, unless the error says so itself, in ms. */
const SHORT_WHILE_MS = 1_000;

/**
 * An error as it goes over the wire: code, text, and the encoded google.rpc.Status for
 * `grpc-status-details-bin`.
 */
export interface WireStatus {
  readonly code: number;
  readonly message: string;
  readonly details: Uint8Array;
}

/** The errors of a public contract: one domain, and a closed set of reasons. */
export interface PublicErrors {
  readonly domain: string;
  /** Any other reason is told as the name of its gRPC code, without facts. */
  readonly reasons: ReadonlySet<string>;
}

/** How an error is told. Between services: with the domain of the service that gave it. */
export interface Telling {
  readonly publicly?: PublicErrors | undefined;
  /** Becomes a RequestInfo. */
  readonly requestId?: string | undefined;
}

/**
 * Bytes that each part may take, percent-encoded. A status travels as HTTP/2 trailers: peers refuse 16 KiB of
 * them, and Node's own server never answers at all when they exceed 64 KiB. What callers sent may be quoted
 * in every part, so none is trusted to be short.
 */
const BYTES = { message: 2_000, facts: 4_000, violations: 1_500, violation: 500, failure: 250 } as const;

/**
 * The only place where errors become gRPC codes. What is not a KilonovaError shows a fixed sentence; what is
 * too long for trailers is cut or left out.
 */
export function toWireStatus(error: unknown, { publicly, requestId }: Telling = {}): WireStatus {
  const e = asKilonovaError(error);
  const code = codeOfKind[e.kind];
  const message = cut(e.message, BYTES.message);
  const details = [any("ErrorInfo", ErrorInfo.encode(infoOf(e, code, publicly)))];
  const retryMs = retryAfterMs(e) ?? (e.kind === "unavailable" ? SHORT_WHILE_MS : undefined);
  if (retryMs !== undefined) details.push(any("RetryInfo", retryInfo(retryMs)));
  const fieldViolations = violationsOf(e);
  if (fieldViolations.length > 0)
    details.push(any("BadRequest", BadRequest.encode(BadRequest.fromPartial({ fieldViolations }))));
  const isTold = publicly === undefined || publicly.reasons.has(e.reason);
  const subject = isTold ? cut(e.subject, BYTES.failure) : "";
  const description = cut(e.message, BYTES.failure);
  if (e.kind === "quota") {
    const subjects = subject.split(",").slice(0, MAX_QUOTAS);
    const violations = subjects.map((one) => ({ subject: one.trim(), description }));
    details.push(any("QuotaFailure", QuotaFailure.encode(QuotaFailure.fromPartial({ violations }))));
  }
  if (e.kind === "refused") {
    const violations = [{ type: infoOf(e, code, publicly).reason, subject, description }];
    details.push(any("PreconditionFailure", PreconditionFailure.encode({ violations })));
  }
  if (requestId !== undefined)
    details.push(any("RequestInfo", RequestInfo.encode({ requestId, servingData: "" })));
  return { code, message, details: Status.encode({ code, message, details }).finish() };
}

const any = (name: string, value: { finish(): Uint8Array }): { typeUrl: string; value: Buffer } => ({
  typeUrl: TYPE_PREFIX + name,
  value: Buffer.from(value.finish()),
});

function infoOf(e: KilonovaError, code: GrpcCode, publicly: PublicErrors | undefined): ErrorInfo {
  const domain = publicly?.domain ?? `${e.domain}${DOMAIN_SUFFIX}`;
  if (publicly !== undefined && !publicly.reasons.has(e.reason))
    return { reason: GrpcCode[code], domain, metadata: new Map() };
  const facts = fitting(Object.entries(e.facts), ([name, value]) => cost(name) + cost(value), BYTES.facts);
  return { reason: e.reason, domain, metadata: new Map(facts) };
}

function violationsOf({ violations }: KilonovaError): { field: string; description: string }[] {
  const short = violations.map((v) => ({
    field: cut(v.field, BYTES.violation),
    description: cut(v.description, BYTES.violation),
  }));
  return fitting(short, (v) => cost(v.field) + cost(v.description), BYTES.violations);
}

const retryInfo = (ms: number): ReturnType<typeof RetryInfo.encode> =>
  RetryInfo.encode({
    retryDelay: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 },
  });

const costOf = (character: string): number =>
  /^[ -~]$/.test(character) && character !== "%" ? 1 : 3 * Buffer.byteLength(character);

function cost(text: string): number {
  let sum = 0;
  for (const character of text) sum += costOf(character);
  return sum;
}

/** The beginning of a text that takes no more than so many bytes, marked where it was cut. */
function cut(text: string, most: number): string {
  if (text.length * 12 <= most) return text;
  let sum = 0,
    length = 0;
  for (const character of text) {
    sum += costOf(character);
    if (sum > most) return `${text.slice(0, length)}…`;
    length += character.length;
  }
  return text;
}

/** As many of the first items as fit; one that is too large by itself does not keep out those after it. */
function fitting<T>(items: readonly T[], costOfItem: (item: T) => number, most: number): T[] {
  let left = most;
  return items.filter((item) => {
    const bytes = costOfItem(item);
    if (bytes > left) return false;
    left -= bytes;
    return true;
  });
}

/** The other direction: what a caller throws when a server answered with an error. */
export function fromWireStatus(
  code: number,
  message: string,
  details: Uint8Array | undefined,
  cause?: unknown,
): KilonovaError {
  const kind = kindOfCode.get(code) ?? "internal";
  const status = details && details.length > 0 ? Status.decode(details) : undefined;
  const valueOf = (typeUrl: string): Uint8Array | undefined =>
    status?.details.find((d) => d.typeUrl === typeUrl)?.value;
  const infoBytes = valueOf(ERROR_INFO);
  const info = infoBytes ? ErrorInfo.decode(infoBytes) : undefined;
  const badBytes = valueOf(BAD_REQUEST);
  const violations = badBytes
    ? BadRequest.decode(badBytes).fieldViolations.map((v) => ({ field: v.field, description: v.description }))
    : [];
  const failure = valueOf(QUOTA_FAILURE) ?? valueOf(PRECONDITION_FAILURE);
  const { violations: failures } = !failure
    ? { violations: [] }
    : kind === "quota"
      ? QuotaFailure.decode(failure)
      : PreconditionFailure.decode(failure);
  return new KilonovaError({
    kind,
    message,
    violations,
    subject: failures.map(({ subject }) => subject).join(","),
    domain: info ? info.domain.replace(DOMAIN_SUFFIX, "") : "rpc",
    reason: info?.reason ?? GrpcCode[code] ?? "UNKNOWN",
    facts: info ? Object.fromEntries(info.metadata) : {},
    ...(cause === undefined ? {} : { cause }),
  });
}
