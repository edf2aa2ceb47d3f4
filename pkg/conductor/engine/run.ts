import type { ComputeNode } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { CommitStepRequest } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { StepRecord, StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../kernel/ctx.js";
import { within } from "../../kernel/ctx.js";
import { asKilonovaError, isRetryable } from "../../kernel/errors.js";
import { merged } from "../../kernel/merged.js";
import type { Clock, Instant } from "../../kernel/time.js";
import { parseOperationName } from "../../model/operation-name.js";
import { toTimestamp } from "../../model/wire-time.js";
import { backoffMs } from "./backoff.js";
import { toInstanceChange } from "./change.js";
import { operationError } from "./kind.js";
import type { Change, CloudCall, HostCall, OperationKind, Step, StepCall } from "./kind.js";
import type { OperationStore } from "./operation-store.js";
import { Outputs } from "./outputs.js";
import type { Fenced, Hold, Ownership } from "./ownership.js";
import { withRecords } from "./progress.js";

/** What a conductor has at hand for an operation. */
export interface RunInit {
  readonly ctx: Ctx;
  readonly kind: OperationKind;
  readonly store: OperationStore;
  readonly clock: Clock;
  readonly ownership: Ownership;
  readonly database: string;
  readonly operation: StoredOperation;
  /** Without a server when the operation is about none. */
  readonly instance: InstanceRecord;
  /** The host that it is about. */
  readonly host: ComputeNode | undefined;
  readonly hold: Hold;
}

/** What one commit stores. */
export interface Progress {
  readonly state: OperationState;
  readonly currentStep: string;
  readonly steps: readonly StepRecord[];
  readonly change?: Change | undefined;
  readonly consumed?: readonly string[];
  readonly error?: OperationError | undefined;
  readonly undoUntil?: string;
  readonly waitingFor?: string;
  readonly wakeAt?: Instant | undefined;
  readonly deadline?: Instant | undefined;
  readonly release?: boolean;
}

const COMMIT_TIMEOUT_MS = 15_000;

/**
 * An operation in this conductor's hands: what is stored, as far as this conductor knows. Only commits change
 * it, so that memory is never ahead of the database.
 */
export class Run {
  readonly ctx: Ctx;
  readonly kind: OperationKind;
  readonly #store: OperationStore;
  readonly #clock: Clock;
  readonly #ownership: Ownership;
  readonly #hold: Hold;
  database: string;
  operation: StoredOperation;
  instance: InstanceRecord;
  readonly #host: ComputeNode | undefined;
  /** Name of the step that this run itself has just made current: nobody can have started it. */
  fresh = "";
  /** Whether the operation was given back in order to be taken at once, under a new fence. */
  again = false;

  constructor(init: RunInit) {
    this.ctx = init.ctx;
    this.kind = init.kind;
    this.#store = init.store;
    this.#clock = init.clock;
    this.#ownership = init.ownership;
    this.#hold = init.hold;
    this.database = init.database;
    this.operation = init.operation;
    this.instance = init.instance;
    this.#host = init.host;
  }

  get now(): Instant {
    return this.#clock.now();
  }
  get name(): string {
    return this.operation.name;
  }
  get #fenced(): Fenced {
    return { database: this.database, name: this.name, fence: this.operation.fence };
  }

  /** @throws FENCE_LOST, see `Ownership.confirm` */
  async confirm(): Promise<void> {
    await this.repeatedly((ctx) => this.#ownership.confirm(ctx, this.#fenced, this.#hold));
  }

  /** See `Ownership.leave`. */
  leave(): Promise<boolean> {
    return this.#ownership.leave(this.ctx, this.#fenced);
  }

  /** What a step gets to see. */
  callOf(step: Step, record: StepRecord, ctx: Ctx = this.ctx): StepCall {
    const { operation, database } = this;
    const call: CloudCall = {
      ctx,
      database,
      operation,
      input: this.kind.parseInput(operation.input),
      fence: operation.fence,
      stepId: `${parseOperationName(operation.name)?.operationId ?? ""}/${step.name}/${record.round}`,
      round: record.round,
      firstStart: this.fresh === step.name,
      closesLanes: this.kind.closesLanes(operation.input),
      signals: operation.signals,
      outputs: new Outputs(operation.steps),
      note: record.note,
      secrets: operation.secrets,
      now: this.now,
    };
    // Steps get what their kind's subject has; `defineKind` and `defineSubjectKind` see to it.
    return merged(call, this.#subject()) as StepCall;
  }

  #subject(): Pick<StepCall, "instance" | "server"> | Pick<HostCall, "host"> | object {
    const { instance } = this;
    const host = this.#host;
    switch (this.kind.subject) {
      case "cloud":
        return {};
      case "host":
        if (host === undefined) throw new Error("an operation of a host without its record");
        return { host };
      case "server":
        if (instance.server === undefined) throw new Error("an instance record without server");
        return { instance, server: instance.server };
    }
  }

  /**
   * Stores progress, as often as it takes: a commit whose answer was lost may be repeated.
   * @throws FENCE_LOST when somebody else has the operation; other errors are bugs
   */
  async commit(progress: Progress): Promise<void> {
    const request = CommitStepRequest.fromPartial({
      database: this.database,
      name: this.name,
      fence: this.operation.fence,
      steps: [...progress.steps],
      state: progress.state,
      currentStep: progress.currentStep,
      waitingFor: progress.waitingFor ?? "",
      undoUntil: progress.undoUntil ?? "",
      consumedSignals: [...(progress.consumed ?? [])],
      release: progress.release ?? false,
      instanceGeneration: this.instance.server?.generation ?? 0n,
      ...(progress.wakeAt === undefined ? {} : { wakeAt: toTimestamp(progress.wakeAt) }),
      ...(progress.deadline === undefined ? {} : { deadline: toTimestamp(progress.deadline) }),
      ...(progress.error === undefined ? {} : { error: progress.error }),
    });
    if (this.kind.subject === "server") request.change = toInstanceChange(progress.change);
    const answer = await this.repeatedly((ctx) => this.#store.commitStep(ctx, request));
    this.instance = answer.instance ?? this.instance;
    this.operation = {
      // A hand-over goes on counting from here, so that watchers see every state.
      ...this.operation,
      generation: generationAfter(this.operation.generation, answer.operationGeneration),
      state: progress.state,
      currentStep: progress.currentStep,
      steps: withRecords(this.operation.steps, progress.steps),
      signals: answer.signals,
      cancelRequested: answer.cancelRequested,
      undoUntil: progress.undoUntil ?? "",
      error: progress.error,
      deadline: progress.deadline === undefined ? this.operation.deadline : toTimestamp(progress.deadline),
    };
  }

  /**
   * Repeats a call to the store while the store cannot be reached; the fence decides whether it still counts.
   */
  async repeatedly<T>(call: (ctx: Ctx) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await within(this.ctx, COMMIT_TIMEOUT_MS, "The commit", call);
      } catch (error) {
        const { kind } = asKilonovaError(error);
        if (this.ctx.signal.aborted || (!isRetryable(error) && kind !== "deadline")) throw error;
        this.ctx.log.warn("operation.commit.retry", { operation: this.name, attempt, error });
        await this.#clock.sleep(backoffMs(attempt, Math.random), this.ctx.signal);
      }
    }
  }
}

/**
 * The generation that a commit made. Agents' progress moves it in between; a store of the version before does
 * not tell, and stores no progress.
 */
const generationAfter = (before: bigint, told: bigint): bigint => (told === 0n ? before + 1n : told);

/** An error as operations store it. */
export const toOperationError = (error: unknown): OperationError => operationError(asKilonovaError(error));
