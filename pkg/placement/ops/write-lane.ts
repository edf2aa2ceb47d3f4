import type { Ctx } from "../../kernel/ctx.js";
import { openLedger } from "../domain/ledger.js";
import type { Ledger } from "../domain/ledger.js";
import type { PlacementStore, PlacementWriter } from "../ports.js";

/** A change of allocations that may share its transaction with others. */
export interface LedgerCommand<T> {
  readonly consumerIds: readonly string[];
  readonly providerIds: readonly string[];
  /** Decides on the working copy; throwing refuses this command alone. May run again. */
  decide(ledger: Ledger): T;
}

export interface Written<T> {
  readonly result: T;
  readonly revision: number;
}

/**
 * All of this process's writes, one transaction at a time: they would meet at the head's row anyway. Changes
 * of allocations that arrive while a transaction runs share the next one (group commit), so that the cost of
 * a claim falls as the load rises. Other replicas are met by SERIALIZABLE, which reruns the loser.
 */
export interface WriteLane {
  /** One command, batched with its neighbours. */
  submit<T>(ctx: Ctx, command: LedgerCommand<T>): Promise<Written<T>>;
  /** A transaction of its own. */
  write<T>(ctx: Ctx, name: string, fn: (writer: PlacementWriter) => Promise<T>): Promise<Written<T>>;
}

interface Waiting {
  readonly ctx: Ctx;
  readonly command: LedgerCommand<unknown>;
  settle(outcome: Outcome, revision: number): void;
  fail(error: unknown): void;
}
type Outcome = { readonly value: unknown } | { readonly refused: unknown };

export interface LaneOptions {
  readonly store: PlacementStore;
  /** Commands per transaction at most. */
  readonly maxBatch: number;
  /** A context for a transaction that serves several callers. */
  background(): Ctx;
  /** Called after each commit with the head's revision. */
  committed(revision: number): void;
}

export function createWriteLane({ store, maxBatch, background, committed }: LaneOptions): WriteLane {
  const queue: Waiting[] = [];
  let tail: Promise<unknown> = Promise.resolve();
  let scheduled = false;

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = tail.then(work);
    tail = mine.catch(() => {});
    return mine;
  };

  const runBatch = async (): Promise<void> => {
    scheduled = false;
    const batch = queue.splice(0, maxBatch).filter((one) => {
      if (one.ctx.signal.aborted) one.fail(one.ctx.signal.reason);
      return !one.ctx.signal.aborted;
    });
    if (queue.length > 0) schedule();
    if (batch.length === 0) return;
    try {
      // A lone caller's own context carries its trace and deadline into the transaction.
      const [only] = batch;
      const ctx = batch.length === 1 && only !== undefined ? only.ctx : background();
      const { result: outcomes, revision } = await store.write(ctx, "placement.ledger", (writer) =>
        decideAll(writer, batch),
      );
      committed(revision);
      for (const [number, outcome] of outcomes.entries()) batch[number]?.settle(outcome, revision);
    } catch (error) {
      for (const one of batch) one.fail(error);
    }
  };

  const schedule = (): void => {
    if (scheduled) return;
    scheduled = true;
    void inTurn(runBatch);
  };

  return {
    submit: <T>(ctx: Ctx, command: LedgerCommand<T>) =>
      new Promise<Written<T>>((resolve, reject) => {
        queue.push({
          ctx,
          command,
          fail: reject,
          settle: (outcome, revision) =>
            "value" in outcome
              ? resolve({ result: outcome.value as T, revision })
              : reject(outcome.refused as Error),
        });
        schedule();
      }),
    write: (ctx, name, fn) =>
      inTurn(async () => {
        const written = await store.write(ctx, name, fn);
        committed(written.revision);
        return written;
      }),
  };
}

async function decideAll(writer: PlacementWriter, batch: readonly Waiting[]): Promise<Outcome[]> {
  const ledger = openLedger(
    await writer.loadLedger(
      batch.flatMap(({ command }) => command.consumerIds),
      batch.flatMap(({ command }) => command.providerIds),
    ),
  );
  const outcomes = batch.map(({ command }): Outcome => {
    try {
      return { value: command.decide(ledger) };
    } catch (refused) {
      return { refused };
    }
  });
  await writer.saveLedger(ledger.diff());
  return outcomes;
}
