/**
 * The closed set of ways in which work can fail. Each kind maps to one gRPC code (platform/rpc/status.ts) and
 * one usual HTTP status (gateway/faults.ts); whether a caller may retry is a property of the kind, never of
 * the text.
 */
export const errorKinds = [
  "invalid",
  "unauthenticated",
  "forbidden",
  "missing",
  "exists",
  "conflict",
  "refused",
  "quota",
  "unsupported",
  "unavailable",
  "deadline",
  "cancelled",
  "internal",
] as const;
export type ErrorKind = (typeof errorKinds)[number];

/**
 * Facts that travel with an error on the wire (google.rpc.ErrorInfo metadata): short, tenant-safe strings.
 */
export type ErrorFacts = Readonly<Record<string, string>>;

/** One bad input: the path of the field as the caller wrote it, and what is wrong with it. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/**
 * Every failure that crosses a function boundary on purpose. `reason` (UPPER_SNAKE) is the contract that
 * clients may branch on, `message` is for people and safe to show to the tenant; `cause` stays inside this
 * process's log.
 */
export class KilonovaError extends Error {
  readonly kind: ErrorKind;
  readonly domain: string;
  readonly reason: string;
  readonly facts: ErrorFacts;
  readonly violations: readonly FieldViolation[];
  /** What a quota or a state stands in the way of: `instances`, `server:<uuid>`. "" when nothing is named. */
  readonly subject: string;

  constructor(init: {
    kind: ErrorKind;
    domain: string;
    reason: string;
    message: string;
    facts?: ErrorFacts;
    violations?: readonly FieldViolation[];
    subject?: string;
    cause?: unknown;
  }) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "KilonovaError";
    this.kind = init.kind;
    this.domain = init.domain;
    this.reason = init.reason;
    this.facts = init.facts ?? {};
    this.violations = init.violations ?? [];
    this.subject = init.subject ?? "";
  }
}

/** Where in a request a mistake is, or what a quota or a state is about. `{name}` stands for a fact. */
export interface Where {
  /** Path of the field in the request, such as `networks[{index}].port_id`; for the kind `invalid`. */
  readonly field?: string;
  /** Such as `metadata`; default: the first fact, as `server:<uuid>`. For the kinds `quota` and `refused`. */
  readonly subject?: string;
}

type Row<P> =
  | readonly [kind: ErrorKind, message: (params: P) => string]
  | readonly [kind: ErrorKind, message: (params: P) => string, where: Where];
/** One reason: makes the error. */
export interface ErrorFactory<P> {
  (params: P, options?: { cause?: unknown; violations?: readonly FieldViolation[] }): KilonovaError;
  readonly kind: ErrorKind;
}
type Factories<T> = {
  [K in keyof T]: T[K] extends Row<infer P> ? ErrorFactory<P> : never;
};

/**
 * Declares a service's error reasons in one table: `REASON: [kind, (facts) => text, where]`.
 * @returns one factory per reason; the facts given to it become the error's wire metadata
 */
export function defineErrors<const T extends Record<string, Row<never>>>(
  domain: string,
  table: T,
): Factories<T> {
  const out: Record<string, unknown> = {};
  for (const [reason, [kind, text, where = {}]] of Object.entries(table))
    out[reason] = Object.assign(
      (
        params: Record<string, unknown>,
        { cause, violations }: { cause?: unknown; violations?: readonly FieldViolation[] } = {},
      ) => {
        const message = text(params as never);
        const facts = toFacts(params);
        return new KilonovaError({
          kind,
          domain,
          reason,
          message,
          facts,
          violations: violations ?? violationOf(where, facts, message),
          subject: subjectOf(where, facts),
          ...(cause === undefined ? {} : { cause }),
        });
      },
      { kind },
    );
  return out as Factories<T>;
}

const filled = (template: string, facts: ErrorFacts): string =>
  template.replace(/\{(\w+)\}/g, (_, name: string) => facts[name] ?? "");

const violationOf = ({ field }: Where, facts: ErrorFacts, description: string): readonly FieldViolation[] =>
  field === undefined ? [] : [{ field: filled(field, facts), description }];

function subjectOf({ subject }: Where, facts: ErrorFacts): string {
  if (subject !== undefined) return filled(subject, facts);
  const [first] = Object.entries(facts);
  return first === undefined ? "" : first.join(":");
}

function toFacts(params: Record<string, unknown> | undefined): ErrorFacts {
  const facts: Record<string, string> = {};
  for (const [key, value] of Object.entries(params ?? {}))
    if (value !== undefined && value !== null) facts[key] = String(value);
  return facts;
}

/** Reasons that no single service owns. */
export const CommonErrors = defineErrors("kilonova", {
  INVALID_ARGUMENT: [
    "invalid",
    (p: { field: string; problem: string }) => `Invalid value for ${p.field}: ${p.problem}`,
    { field: "{field}" },
  ],
  DEADLINE_EXCEEDED: ["deadline", (p: { what: string }) => `${p.what} did not finish in time.`],
  CANCELLED: ["cancelled", (p: { what: string }) => `${p.what} was cancelled.`],
  TOKEN_ENDED: [
    "unauthenticated",
    (_p: Record<string, never>) => "The token ended while the request was under way.",
  ],
  UNAVAILABLE: ["unavailable", (p: { what: string }) => `${p.what} is unavailable at this time.`],
  UNIMPLEMENTED: ["unsupported", (p: { what: string }) => `${p.what} is not implemented.`],
  INTERNAL: [
    "internal",
    (_p: Record<string, never>) => "An unexpected error prevented the server from fulfilling the request.",
  ],
});

/**
 * Whether the same request may simply be sent again (kind `unavailable`), as opposed to after reading again.
 */
export const isRetryable = (error: unknown): boolean =>
  error instanceof KilonovaError && error.kind === "unavailable";

/**
 * Turns anything thrown into a KilonovaError; unknown ones become `internal` and keep the original as cause.
 */
export function asKilonovaError(error: unknown): KilonovaError {
  if (error instanceof KilonovaError) return error;
  if (error instanceof Error && error.name === "AbortError")
    return CommonErrors.CANCELLED({ what: "The request" }, { cause: error });
  return CommonErrors.INTERNAL({}, { cause: error });
}

/** Ends a switch over a closed union; reaching it at run time is a bug. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}

/** An error with its causes, a line each: for administrators. At most five lines and 4,000 characters. */
export function causesOf(error: unknown): string {
  const lines: string[] = [];
  for (let e: unknown = error; e instanceof Error && lines.length < 5; e = e.cause)
    lines.push(`${e.name}: ${e.message}`);
  return lines.join("\n").slice(0, 4000);
}

/**
 * When the caller may come again: the fact `retryAfterMs` of any error. It becomes Retry-After over REST and
 * RetryInfo over gRPC.
 */
export function retryAfterMs({ facts }: KilonovaError): number | undefined {
  const ms = Number(facts["retryAfterMs"] ?? Number.NaN);
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined;
}

/** Whole seconds, as HTTP wants them. */
export function retryAfterSeconds(error: KilonovaError): number | undefined {
  const ms = retryAfterMs(error);
  return ms === undefined ? undefined : Math.ceil(ms / 1000);
}
