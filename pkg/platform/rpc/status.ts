import { status as GrpcCode } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo, RetryInfo } from "../../../gen/google/rpc/error_details.js";
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
const kindOfCode = new Map<number, ErrorKind>(
  Object.entries(codeOfKind).map(([kind, code]) => [code, kind as ErrorKind]),
);

const TYPE_PREFIX = "type.googleapis.com/";
const ERROR_INFO = `${TYPE_PREFIX}google.rpc.ErrorInfo`;
const RETRY_INFO = `${TYPE_PREFIX}google.rpc.RetryInfo`;
const BAD_REQUEST = `${TYPE_PREFIX}google.rpc.BadRequest`;
const DOMAIN_SUFFIX = ".kilonova";

/**
 * An error as it goes over the wire: code, text, and the encoded google.rpc.Status for
 * `grpc-status-details-bin`.
 */
export interface WireStatus {
  readonly code: number;
  readonly message: string;
  readonly details: Uint8Array;
}

/**
 * Bytes that each part may take, percent-encoded. A status travels as HTTP/2 trailers: peers refuse 16 KiB of
 * them, and Node's own server never answers at all when they exceed 64 KiB. What callers sent may be quoted
 * in every part, so none is trusted to be short.
 */
const BYTES = { message: 2_500, facts: 5_000, violations: 1_500, violation: 500 } as const;

/**
 * The only place where errors become gRPC codes. What is not a KilonovaError shows a fixed sentence; what is
 * too long for trailers is cut or left out.
 */
export function toWireStatus(error: unknown): WireStatus {
  const e = asKilonovaError(error);
  const code = codeOfKind[e.kind];
  const message = cut(e.message, BYTES.message);
  const metadata = new Map(
    fitting(Object.entries(e.facts), ([name, value]) => cost(name) + cost(value), BYTES.facts),
  );
  const details = [
    {
      typeUrl: ERROR_INFO,
      value: Buffer.from(
        ErrorInfo.encode({ reason: e.reason, domain: `${e.domain}${DOMAIN_SUFFIX}`, metadata }).finish(),
      ),
    },
  ];
  const retryMs = retryAfterMs(e);
  if (retryMs !== undefined) details.push({ typeUrl: RETRY_INFO, value: retryInfo(retryMs) });
  const violations = e.violations.map((v) => ({
    field: cut(v.field, BYTES.violation),
    description: cut(v.description, BYTES.violation),
    reason: "",
    localizedMessage: undefined,
  }));
  if (violations.length > 0) {
    const fieldViolations = fitting(violations, (v) => cost(v.field) + cost(v.description), BYTES.violations);
    details.push({
      typeUrl: BAD_REQUEST,
      value: Buffer.from(BadRequest.encode(BadRequest.fromPartial({ fieldViolations })).finish()),
    });
  }
  return { code, message, details: Status.encode({ code, message, details }).finish() };
}

const retryInfo = (ms: number): Buffer<ArrayBuffer> =>
  Buffer.from(
    RetryInfo.encode({
      retryDelay: { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 },
    }).finish(),
  );

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
  const infoBytes = status?.details.find((d) => d.typeUrl === ERROR_INFO)?.value;
  const info = infoBytes ? ErrorInfo.decode(infoBytes) : undefined;
  const badBytes = status?.details.find((d) => d.typeUrl === BAD_REQUEST)?.value;
  const violations = badBytes
    ? BadRequest.decode(badBytes).fieldViolations.map((v) => ({ field: v.field, description: v.description }))
    : [];
  return new KilonovaError({
    kind,
    message,
    violations,
    domain: info ? info.domain.replace(DOMAIN_SUFFIX, "") : "rpc",
    reason: info?.reason ?? GrpcCode[code] ?? "UNKNOWN",
    facts: info ? Object.fromEntries(info.metadata) : {},
    ...(cause === undefined ? {} : { cause }),
  });
}
