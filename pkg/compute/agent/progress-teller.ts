import { OperationProgress } from "../../../gen/kilonova/type/v1/operation.js";
import type { Ctx } from "../../kernel/index.js";
import type { Clock } from "../../kernel/time.js";

/** Tells the cell. @returns whether it was kept; otherwise it is told again, unless there is news */
export type SendProgress = (progress: OperationProgress) => Promise<boolean>;

export interface ProgressTellerOptions {
  readonly clock: Pick<Clock, "sleep">;
  readonly send: SendProgress;
}

const EVERY_MS = 1_000;

/**
 * Passes on how far one command is: once a second at most, the last value, the first one a second after it
 * was told, so that what is short tells nothing. Whoever tells never waits; what cannot be sent is no harm.
 */
export class ProgressTeller {
  readonly #options: ProgressTellerOptions;
  readonly #closed = new AbortController();
  #latest: OperationProgress | undefined;
  #busy = false;

  constructor(options: ProgressTellerOptions) {
    this.#options = options;
  }

  tell(progress: OperationProgress): void {
    if (this.#closed.signal.aborted) return;
    this.#latest = progress;
    if (this.#busy) return;
    this.#busy = true;
    void this.#sendAll();
  }

  /** The command has ended: nothing is told any more. */
  close(): void {
    this.#closed.abort();
  }

  async #sendAll(): Promise<void> {
    const { clock, send } = this.#options;
    const { signal } = this.#closed;
    while (this.#latest !== undefined) {
      await clock.sleep(EVERY_MS, signal).catch(() => {}); // closed
      if (signal.aborted) return;
      const next = this.#latest;
      this.#latest = undefined;
      const kept = await send(next).catch(() => false);
      if (!kept) this.#latest ??= next;
    }
    this.#busy = false;
  }
}

/** The command whose progress it is, as the cell knows it. */
export interface ProgressOf {
  readonly commandId: string;
  readonly operation: string;
  /** Under which it was asked for last. */
  readonly fence: bigint;
}

/** The road of progress to the cell. */
export type ProgressRoad = (ctx: Ctx, of: ProgressOf, progress: OperationProgress) => Promise<boolean>;

/** For who has nobody to tell. */
export const noRoad: ProgressRoad = async () => true;
