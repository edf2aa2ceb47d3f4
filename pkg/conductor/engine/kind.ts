import type { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  InstanceChange,
  InstancePort,
  InstanceRecord,
} from "../../../gen/kilonova/cells/v1/instance_change.js";
import { HandoverProtocol } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation, StoredSignal } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../kernel/ctx.js";
import type { Instant } from "../../kernel/time.js";
import type { Lane, OperationDeclaration } from "../../model/operation-declaration.js";
import { anyOperation, formOf, newestVersion, subjectOf } from "../../model/operation-declaration.js";
import type { SubjectKind } from "../../model/operation-name.js";
import type { Outputs } from "./outputs.js";

/** What an operation changes on its instance, in the commit that moves it on. */
export interface Change {
  /** New values; exactly these fields change. An explicit undefined clears a field. */
  readonly set?: { readonly [K in keyof Server]?: Server[K] | undefined };
  /** Replaces the ports, and the addresses with them. */
  readonly ports?: readonly InstancePort[];
  /** Ports to add or to replace, whatever has become of the others; addresses follow. Not with `ports`. */
  readonly putPorts?: readonly InstancePort[];
  /** Ids of ports to take out. Not with `ports`. */
  readonly removePorts?: readonly string[];
  readonly dropFault?: boolean;
  /** Marks the record deleted. */
  readonly deleteRecord?: boolean;
  /** No record of the server is kept in the cell that it came from any more. */
  readonly dropKept?: boolean;
  /** New values of its spec, user data, block devices, migrations and what its host gives it. */
  readonly more?: MoreChanges;
}

/** What an `InstanceChange` carries besides the server itself. */
export type MoreChanges = Partial<
  Pick<
    InstanceChange,
    | "spec"
    | "specMask"
    | "userData"
    | "hostResources"
    | "replaceHostResources"
    | "blockDevices"
    | "migrations"
  >
>;

/** What every step knows. Everything in it is stored; nothing else survives a crash. */
export interface CloudCall<I = unknown> {
  readonly ctx: Ctx;
  readonly database: string;
  readonly operation: StoredOperation;
  readonly input: I;
  /** Under which every effect outside is made. */
  readonly fence: bigint;
  /** `<operation uuid>/<step>/<round>`: the same for every start until the step is undone. */
  readonly stepId: string;
  /** How often the step was undone before. */
  readonly round: number;
  /** Certain that nobody has started this round before: what a look at the world would find out otherwise. */
  readonly firstStart: boolean;
  /** Whether it takes over all lanes: what runs in the others is stopped wherever this one has an effect. */
  readonly closesLanes: boolean;
  /** Signals that wait; name those used up in the result. */
  readonly signals: readonly StoredSignal[];
  readonly outputs: Outputs;
  /** What the step's last start left to this one with `park`; see `readNote`. */
  readonly note: Buffer;
  /** Decrypted; only what the operation was accepted with. */
  readonly secrets: Buffer;
  readonly now: Instant;
}

/** What a step of an operation on a server knows. */
export interface StepCall<I = unknown> extends CloudCall<I> {
  readonly instance: InstanceRecord;
  readonly server: Server;
}

/** What a step of an operation on a host knows. */
export interface HostCall<I = unknown> extends CloudCall<I> {
  /** As it was registered when the operation was taken; only with its id when it is registered no more. */
  readonly host: ComputeNode;
}

/** What a step knows of its operation's subject. */
export interface CallOf<I> {
  readonly server: StepCall<I>;
  readonly host: HostCall<I>;
  readonly cloud: CloudCall<I>;
}

/** The next step, which a hand-over finishes with itself: one commit less. */
export interface AlsoDone {
  readonly step: string;
  readonly output: unknown;
}

/**
 * How a start of a step ended. Built with `done`, `park`, `retry`, `fail`, `handOver`, `moveTo`,
 * `returnTo`.
 */
export type StepResult =
  | {
      readonly kind: "done";
      readonly output: unknown;
      readonly change: Change | undefined;
      readonly consumed: readonly string[];
      readonly host: string;
    }
  | {
      readonly kind: "park";
      readonly signal: string;
      readonly wakeAfterMs: number;
      /** For the next start; without it what was left before stays. */
      readonly note?: unknown;
      readonly consumed: readonly string[];
      readonly host: string;
    }
  | { readonly kind: "retry"; readonly afterMs: number }
  | {
      readonly kind: "fail";
      readonly error: OperationError;
      readonly backTo: string;
      readonly details: string;
      readonly consumed: readonly string[];
      readonly host: string;
    }
  | {
      readonly kind: "hand-over";
      readonly protocol: HandoverProtocol;
      readonly database: string;
      readonly output: unknown;
      readonly change: Change | undefined;
      readonly alsoDone: AlsoDone | undefined;
    };

export type FailResult = Extract<StepResult, { kind: "fail" }>;
export type RetryResult = Extract<StepResult, { kind: "retry" }>;

interface Extra {
  readonly consumed?: readonly string[];
  readonly host?: string;
}

/**
 * Finished: the output is stored before the next step begins. `host` is where it worked, for the timeline.
 */
export const done = (output: unknown = {}, change?: Change, extra: Extra = {}): StepResult => ({
  kind: "done",
  output,
  change,
  consumed: extra.consumed ?? [],
  host: extra.host ?? "",
});

/**
 * Waits for a kind of signal ("" for none) or a timer, whichever comes first; then the step is started again.
 */
export const park = (
  signal: string,
  wakeAfterMs: number,
  extra: Extra & { readonly note?: unknown } = {},
): StepResult => ({
  kind: "park",
  signal,
  wakeAfterMs,
  ...(extra.note === undefined ? {} : { note: extra.note }),
  consumed: extra.consumed ?? [],
  host: extra.host ?? "",
});

/** Starts again later. */
export const retry = (afterMs: number): RetryResult => ({ kind: "retry", afterMs });

/**
 * Gives up: everything done so far is undone. With `backTo`, only down to that step, which then begins anew.
 * @param details  for administrators
 */
export const fail = (
  error: {
    readonly reason: string;
    readonly domain: string;
    readonly message: string;
    readonly facts?: Readonly<Record<string, string>>;
  },
  options: Extra & { readonly backTo?: string; readonly details?: string } = {},
): FailResult => ({
  kind: "fail",
  backTo: options.backTo ?? "",
  details: options.details ?? "",
  consumed: options.consumed ?? [],
  host: options.host ?? "",
  error: operationError(error),
});

/** An error as operations store it; what is told to owners of its facts is put together when it is shown. */
export const operationError = (error: {
  readonly reason: string;
  readonly domain: string;
  readonly message: string;
  readonly facts?: Readonly<Record<string, string>>;
}): OperationError => ({
  reason: error.reason,
  domain: error.domain,
  message: error.message,
  facts: new Map(Object.entries(error.facts ?? {})),
  noValidHost: undefined,
});

/**
 * A new server goes on in its cell, or in cell0. The source's promise is the step's commit.
 * @param alsoDone  the step after this one, when it has nothing left to do
 */
export const handOver = (
  database: string,
  output: unknown,
  change?: Change,
  alsoDone?: AlsoDone,
): StepResult => ({
  kind: "hand-over",
  protocol: HandoverProtocol.HANDOVER_PROTOCOL_NEW_SERVER,
  database,
  output,
  change,
  alsoDone,
});

/**
 * Goes on in another cell. The one that it leaves keeps a hidden record until `ForgetKept`; `instance.kept`
 * says where. Waits while something runs in another lane.
 */
export const moveTo = (cell: string, output: unknown, change?: Change): StepResult => ({
  kind: "hand-over",
  protocol: HandoverProtocol.HANDOVER_PROTOCOL_MOVE,
  database: cell,
  output,
  change,
  alsoDone: undefined,
});

/** Goes back to the cell that keeps a record, where the server has its kept host and number once more. */
export const returnTo = (cell: string, output: unknown, change?: Change): StepResult => ({
  kind: "hand-over",
  protocol: HandoverProtocol.HANDOVER_PROTOCOL_RETURN,
  database: cell,
  output,
  change,
  alsoDone: undefined,
});

/** One named piece of an operation. Both halves may be repeated at any time, also after they succeeded. */
export interface Step<I = unknown, C extends CloudCall<I> = StepCall<I>> {
  readonly name: string;
  /** Name in the instance action's timeline, Nova's where it has one; "" shows nothing. */
  readonly event: string;
  /** Task state while it runs; absent keeps the one before. Only in kinds of the lane "life". */
  readonly taskState?: string;
  /**
   * It makes effects that no fence holds back: whoever pre-empts waits for its end, and it starts only while
   * the operation is certainly ours.
   */
  readonly unfenced?: boolean;
  /** The capability that it needs of the host which the operation's declaration asks for one. */
  readonly needs?: string;
  /** Once begun, it is not cut short by a request to cancel: that is honoured after it. */
  readonly finishes?: boolean;
  /** From its first start, parked time included; then it fails (before the pivot). */
  readonly timeoutMs: number;
  run(call: C): Promise<StepResult>;
  /** Absent when there is nothing to take back. May change the instance with the commit that stores it. */
  undo?(call: C): Promise<Change | undefined>;
}

/** How one version of an operation is done: a list of steps. What it is, its declaration says. */
export interface OperationKind<I = unknown> {
  readonly kind: string;
  readonly version: number;
  readonly subject: SubjectKind;
  readonly lane: Lane;
  /** Whether an operation with this input takes over all lanes. */
  closesLanes(input: Buffer): boolean;
  /** @throws when the bytes are no input of this kind */
  parseInput(bytes: Buffer): I;
  readonly steps: readonly Step<I>[];
  /** From this step on there is only forward: no cancelling, no undo. Absent: every step can be undone. */
  readonly pivot?: string;
  /**
   * The instance after the operation failed and everything was undone; nothing of its task state beside
   * "life".
   */
  failed(call: StepCall<I>, error: OperationError, details: string): Change;
}

/** What a file in `ops/` adds to a declaration. */
export interface KindSteps<I> {
  /** The declared version that these steps are for; the newest unless told. */
  readonly version?: number;
  readonly steps: readonly Step<I>[];
  failed(call: StepCall<I>, error: OperationError, details: string): Change;
}

/** As `KindSteps`, for operations on hosts and on the cloud: they change no server. */
export interface SubjectSteps<I, K extends SubjectKind> {
  readonly version?: number;
  readonly steps: readonly Step<I, CallOf<I>[K]>[];
}

/** As `defineKind`, for hosts and the cloud. @throws when the declaration has another subject */
export function defineSubjectKind<I, S, F extends string, K extends "host" | "cloud">(
  subject: K,
  declaration: OperationDeclaration<I, S, F>,
  { steps, ...more }: SubjectSteps<NoInfer<I>, K>,
): OperationKind {
  if (subjectOf(declaration) !== subject)
    throw new Error(`${declaration.kind} is about a ${subjectOf(declaration)}`);
  // `Run.callOf` makes what the kind's subject has.
  return defineKind(declaration, {
    ...more,
    steps: steps as unknown as readonly Step<I>[],
    failed: () => ({}),
  });
}

/**
 * Joins steps with their declaration, and checks what TypeScript cannot: names are unique, the pivot is one
 * of them, the version is declared, and so is what steps need of the host.
 */
export function defineKind<I, S, F extends string>(
  declaration: OperationDeclaration<I, S, F>,
  { version = newestVersion(declaration), steps, failed }: KindSteps<NoInfer<I>>,
): OperationKind {
  const { kind, versions, lane, pivot, input, capability } = declaration;
  const names = steps.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new Error(`${kind}: two steps of one name`);
  if (pivot !== undefined && !names.includes(pivot)) throw new Error(`${kind}: no step ${pivot}`);
  if (!versions.includes(version)) throw new Error(`${kind}: version ${version} is not declared`);
  if (lane !== "life" && steps.some(({ taskState }) => taskState !== undefined))
    throw new Error(`${kind}: only the lane life shows a task state`);
  const unable = steps.find(({ needs }) => needs !== undefined && needs !== capability);
  if (unable !== undefined)
    throw new Error(`${kind}: does not ask the host for ${unable.needs}, which ${unable.name} needs`);
  const defined: OperationKind<I> = {
    kind,
    version,
    subject: subjectOf(declaration),
    lane,
    closesLanes: (bytes) => formOf(anyOperation(declaration), bytes).contention === "pre-empts-all",
    parseInput: (bytes) => input.decode(bytes),
    steps,
    ...(pivot === undefined ? {} : { pivot }),
    failed,
  };
  return defined as OperationKind;
}
