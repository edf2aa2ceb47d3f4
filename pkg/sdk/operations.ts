import type { Operation } from "./messages.gen.js";
import { OperationState, OperationsService } from "./messages.gen.js";
import type { CallOptions, Caller } from "./calls.js";
import { mayPass } from "./calls.js";
import { KilonovaError, OperationFailed, errorOf } from "./errors.js";
import { pauseMs, sleep } from "./backoff.js";

/**
 * What an operation that succeeded has brought about: `Operation.result.outcome`, as far as the contract that
 * this was generated from knows it.
 */
export type Outcome = OutcomeOf<Operation>;
type OutcomeOf<T> = "result" extends keyof T
  ? T extends { result?: { outcome: infer O } | undefined }
    ? (O extends { value: infer V } ? V : never) | undefined
    : never
  : undefined;

/** For waiting. */
export interface WaitOptions {
  /** In ms. Default: as long as it takes; every operation ends. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How long one call waits: below what proxies take for a dead connection. */
const HOLD_S = 30;
/** What a waiting call may take beyond that. */
const GRACE_MS = 15_000;

/** Slow work that was accepted. It will end, whatever process dies. */
export class PendingOperation {
  readonly #caller: Caller;
  #latest: Operation;

  constructor(caller: Caller, operation: Operation) {
    this.#caller = caller;
    this.#latest = operation;
  }

  /** As it was when it was last asked for. */
  get latest(): Operation {
    return this.#latest;
  }
  get name(): string {
    return this.#latest.name;
  }
  get kind(): string {
    return this.#latest.kind;
  }
  get state(): OperationState {
    return this.#latest.state;
  }
  get done(): boolean {
    return this.#latest.done;
  }

  /** Asks how it stands. */
  async refresh(options: CallOptions = {}): Promise<Operation> {
    const { name } = this.#latest;
    return this.#take(
      (await this.#caller.unary(OperationsService.method.getOperation, { name }, options)).operation,
    );
  }

  /** Asks it to stop. What has passed its point of no return goes on. */
  async cancel(options: CallOptions = {}): Promise<Operation> {
    const { name } = this.#latest;
    return this.#take(
      (await this.#caller.unary(OperationsService.method.cancelOperation, { name }, options)).operation,
    );
  }

  /**
   * Waits for the end, be it good or bad, over breaks of the connection and restarts of the cloud.
   *
   * @throws KilonovaError DEADLINE_EXCEEDED when the time is over first
   */
  async wait({ timeoutMs = Infinity, signal }: WaitOptions = {}): Promise<Operation> {
    const endsAt = Date.now() + timeoutMs;
    for (let failures = 0; !this.#latest.done;) {
      const left = endsAt - Date.now();
      if (left <= 0)
        throw new KilonovaError(`${this.#latest.name} is not done in time`, {
          code: "DEADLINE_EXCEEDED",
          reason: "DEADLINE_EXCEEDED",
        });
      const holdMs = Math.min(HOLD_S * 1000, left);
      const timeout = { seconds: BigInt(Math.floor(holdMs / 1000)), nanos: Math.floor(holdMs % 1000) * 1e6 };
      try {
        const answer = await this.#caller.unary(
          OperationsService.method.waitOperation,
          { name: this.#latest.name, timeout },
          { signal, timeoutMs: holdMs + GRACE_MS },
        );
        this.#take(answer.operation);
        failures = 0;
      } catch (thrown) {
        const error = errorOf(thrown);
        if (!mayPass(error)) throw error;
        failures += 1;
        await sleep(Math.min(pauseMs(this.#caller.backoff, failures, error.retryAfterMs), left), signal);
      }
    }
    return this.#latest;
  }

  /**
   * Waits for the good end.
   *
   * @throws OperationFailed when it ends otherwise; else as `wait`
   */
  async result(options: WaitOptions = {}): Promise<Outcome> {
    return resultOf(await this.wait(options));
  }

  #take(operation: Operation | undefined): Operation {
    if (operation !== undefined) this.#latest = operation;
    return this.#latest;
  }
}

/** @throws OperationFailed */
function resultOf(operation: Operation): Outcome {
  if (operation.state !== OperationState.SUCCEEDED) throw new OperationFailed(operation);
  const { result } = operation as { result?: { outcome?: { value?: unknown } } };
  return result?.outcome?.value as Outcome;
}
