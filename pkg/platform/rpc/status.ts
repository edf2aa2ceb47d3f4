import { status as GrpcCode } from "@grpc/grpc-js";
import { BadRequest, ErrorInfo } from "../../../gen/google/rpc/error_details.js";
import { Status } from "../../../gen/google/rpc/status.js";
import type { ErrorKind } from "../../kernel/index.js";
import { KilonovaError, asKilonovaError } from "../../kernel/index.js";

const codeOfKind: Readonly<Record<ErrorKind, GrpcCode>> = {
  invalid: GrpcCode.INVALID_ARGUMENT, unauthenticated: GrpcCode.UNAUTHENTICATED, forbidden: GrpcCode.PERMISSION_DENIED,
  missing: GrpcCode.NOT_FOUND, exists: GrpcCode.ALREADY_EXISTS, conflict: GrpcCode.ABORTED, refused: GrpcCode.FAILED_PRECONDITION,
  quota: GrpcCode.RESOURCE_EXHAUSTED, unsupported: GrpcCode.UNIMPLEMENTED, unavailable: GrpcCode.UNAVAILABLE,
  deadline: GrpcCode.DEADLINE_EXCEEDED, cancelled: GrpcCode.CANCELLED, internal: GrpcCode.INTERNAL,
};
const kindOfCode = new Map<number, ErrorKind>(Object.entries(codeOfKind).map(([kind, code]) => [code, kind as ErrorKind]));

const TYPE_PREFIX = "type.googleapis.com/";
const ERROR_INFO = `${TYPE_PREFIX}google.rpc.ErrorInfo`;
const BAD_REQUEST = `${TYPE_PREFIX}google.rpc.BadRequest`;
const DOMAIN_SUFFIX = ".kilonova";

/** An error as it goes over the wire: code, text, and the encoded google.rpc.Status for `grpc-status-details-bin`. */
export interface WireStatus { readonly code: number; readonly message: string; readonly details: Uint8Array }

/** The only place where errors become gRPC codes. What is not a KilonovaError shows a fixed sentence. */
export function toWireStatus(error: unknown): WireStatus {
  const e = asKilonovaError(error);
  const code = codeOfKind[e.kind];
  const details = [{
    typeUrl: ERROR_INFO,
    value: Buffer.from(ErrorInfo.encode({ reason: e.reason, domain: `${e.domain}${DOMAIN_SUFFIX}`, metadata: new Map(Object.entries(e.facts)) }).finish()),
  }];
  if (e.violations.length > 0) {
    const fieldViolations = e.violations.map((v) => ({ field: v.field, description: v.description, reason: "", localizedMessage: undefined }));
    details.push({ typeUrl: BAD_REQUEST, value: Buffer.from(BadRequest.encode(BadRequest.fromPartial({ fieldViolations })).finish()) });
  }
  return { code, message: e.message, details: Status.encode({ code, message: e.message, details }).finish() };
}

/** The other direction: what a caller throws when a server answered with an error. */
export function fromWireStatus(code: number, message: string, details: Uint8Array | undefined, cause?: unknown): KilonovaError {
  const kind = kindOfCode.get(code) ?? "internal";
  const status = details && details.length > 0 ? Status.decode(details) : undefined;
  const infoBytes = status?.details.find((d) => d.typeUrl === ERROR_INFO)?.value;
  const info = infoBytes ? ErrorInfo.decode(infoBytes) : undefined;
  const badBytes = status?.details.find((d) => d.typeUrl === BAD_REQUEST)?.value;
  const violations = badBytes ? BadRequest.decode(badBytes).fieldViolations.map((v) => ({ field: v.field, description: v.description })) : [];
  return new KilonovaError({
    kind, message, violations,
    domain: info ? info.domain.replace(DOMAIN_SUFFIX, "") : "rpc",
    reason: info?.reason ?? (GrpcCode[code] ?? "UNKNOWN"),
    facts: info ? Object.fromEntries(info.metadata) : {},
    ...(cause === undefined ? {} : { cause }),
  });
}
