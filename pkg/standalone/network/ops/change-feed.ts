import { EventEmitter } from "node:events";
import type { Ctx } from "../../../kernel/index.js";
import { whenAborted } from "../../../kernel/index.js";
import { OpenOutcomes } from "../../shared/open-outcome.js";

/**
 * Tells the hosts' switches that something they go by may have changed, without saying what: they read again
 * what concerns them.
 */
export interface ChangeFeed {
  /** Something changed, and is stored. */
  moved(): void;
  /** Something may be stored by now, or in a moment: who asked for it left before it was known. */
  mayMove(): void;
  /**
   * Waits for a change.
   * @param since the mark of an earlier call; another than the present one is answered at once, none at all
   *   too
   * @param waitMs  0..30,000
   * @returns the present mark; marks of another run of the service never equal it
   */
  wait(ctx: Ctx, since: string | undefined, waitMs: number): Promise<string>;
  /** Whether nobody waits any more, nor should ask again. */
  readonly closed: boolean;
  /** Answers all who wait. */
  close(): void;
}

/** @param run  unique to this run of the service */
export function changeFeed(run: string, open = new OpenOutcomes()): ChangeFeed {
  const emitter = new EventEmitter().setMaxListeners(0); // every host waits on it
  let count = 0;
  let closed = false;
  const mark = (): string => `${run}.${count}`;
  const moved = (): void => {
    count += 1;
    emitter.emit("moved");
  };
  return {
    get closed() {
      return closed;
    },
    moved,
    mayMove: () => {
      moved();
      if (!closed) open.note(moved);
    },
    wait: async (ctx, since, waitMs) => {
      if (since !== mark() || closed) return mark();
      // Not AbortSignal.timeout: Node.js 20 may collect one as garbage while it is waited for by `any`, and
      // then nobody is woken.
      await new Promise<void>((resolve) => {
        let leave = (): void => {};
        const wake = (): void => {
          clearTimeout(timer);
          emitter.off("moved", wake);
          leave();
          resolve();
        };
        const timer = setTimeout(wake, waitMs);
        emitter.on("moved", wake);
        leave = whenAborted(ctx.signal, wake);
      });
      ctx.signal.throwIfAborted();
      return mark();
    },
    close: () => {
      closed = true;
      open.close();
      emitter.emit("moved");
    },
  };
}
