import { Code, ConnectError } from "@connectrpc/connect";
import type { BadRequest_FieldViolation, QuotaFailure_Violation } from "./gen/google/rpc/error_details_pb.js";
import type { PreconditionFailure_Violation } from "./gen/google/rpc/error_details_pb.js";
import { Code as RpcCode } from "./gen/google/rpc/code_pb.js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  RetryInfoSchema,
} from "./gen/google/rpc/error_details_pb.js";
import type { ErrorReason, Operation } from "./messages.gen.js";
import { OperationState } from "./messages.gen.js";

/** A gRPC status by name, such as "NOT_FOUND". */
export type StatusCode = keyof typeof RpcCode;
/** Why, as the contract names it. A newer cloud may give reasons that this version does not know. */
export type Reason = keyof typeof ErrorReason | (string & {});

/** What a refusal says, beside its text. */
interface Facts {
  readonly code: StatusCode;
  readonly reason: Reason;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly fieldViolations?: readonly BadRequest_FieldViolation[];
  readonly quotaViolations?: readonly QuotaFailure_Violation[];
  readonly preconditionViolations?: readonly PreconditionFailure_Violation[];
  readonly retryAfterMs?: number | undefined;
  readonly requestId?: string | undefined;
}

/** A call that was refused, or that failed. Build on `code` and `reason`; the text may change. */
export class KilonovaError extends Error {
  override readonly name: string = "KilonovaError";
  readonly code: StatusCode;
  readonly reason: Reason;
  /** Short facts. */
  readonly metadata: Readonly<Record<string, string>>;
  /** With INVALID_ARGUMENT: each field that is wrong. */
  readonly fieldViolations: readonly BadRequest_FieldViolation[];
  /** With RESOURCE_EXHAUSTED: each quota that is used up. */
  readonly quotaViolations: readonly QuotaFailure_Violation[];
  /** With FAILED_PRECONDITION: what is in the wrong state. */
  readonly preconditionViolations: readonly PreconditionFailure_Violation[];
  /** How long to wait before the next attempt, where waiting helps. */
  readonly retryAfterMs: number | undefined;
  /** `req-…`, by which operators find the call in their logs. */
  readonly requestId: string | undefined;

  constructor(message: string, facts: Facts, cause?: unknown) {
    super(message, { cause });
    this.code = facts.code;
    this.reason = facts.reason;
    this.metadata = facts.metadata ?? {};
    this.fieldViolations = facts.fieldViolations ?? [];
    this.quotaViolations = facts.quotaViolations ?? [];
    this.preconditionViolations = facts.preconditionViolations ?? [];
    this.retryAfterMs = facts.retryAfterMs;
    this.requestId = facts.requestId;
  }

  /** Whether it is one of these reasons; a misspelt one does not compile. */
  is(...reasons: readonly (keyof typeof ErrorReason)[]): boolean {
    return reasons.some((reason) => reason === this.reason);
  }
}

/** Slow work that did not end as asked. */
export class OperationFailed extends KilonovaError {
  override readonly name = "OperationFailed";
  /** As it ended. Its `error` may tell more, such as `noValidHost`. */
  readonly operation: Operation;

  constructor(operation: Operation) {
    const { error, state } = operation;
    const ended = OperationState[state];
    super(error?.message || `operation ${operation.kind} ended as ${ended}`, {
      code:
        state === OperationState.CANCELLED || state === OperationState.PREEMPTED ? "CANCELLED" : "ABORTED",
      reason: error?.reason || ended,
      metadata: error?.facts ?? {},
      requestId: operation.requestId,
    });
    this.operation = operation;
  }
}

/** What a transport threw, as an error of ours. */
export function errorOf(thrown: unknown): KilonovaError {
  if (thrown instanceof KilonovaError) return thrown;
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const [request] = error.findDetails(RequestInfoSchema);
  const [delay] = error.findDetails(RetryInfoSchema);
  const code = codeName(error.code);
  const facts: Facts = {
    code,
    reason: info?.reason ?? code,
    metadata: info?.metadata ?? {},
    fieldViolations: error.findDetails(BadRequestSchema).flatMap((one) => one.fieldViolations),
    quotaViolations: error.findDetails(QuotaFailureSchema).flatMap((one) => one.violations),
    preconditionViolations: error.findDetails(PreconditionFailureSchema).flatMap((one) => one.violations),
    retryAfterMs:
      delay?.retryDelay && Number(delay.retryDelay.seconds) * 1000 + delay.retryDelay.nanos / 1_000_000,
    requestId: request?.requestId ?? error.metadata.get("x-request-id") ?? undefined,
  };
  return new KilonovaError(error.rawMessage, facts, error);
}

/** Connect numbers the codes as gRPC does, and spells CANCELLED in another way. */
const codeName = (code: Code): StatusCode => RpcCode[code as number] as StatusCode;
