import type { Ctx } from "../../../kernel/ctx.js";
import { firstOf } from "../../../kernel/signals.js";
import { KilonovaError } from "../../../kernel/errors.js";
import { GLOBAL } from "../../../model/database-names.js";
import { operationName } from "../../../model/operation-name.js";
import type { Waker } from "../../ports.js";
import { leavingTo } from "../../servers/store/read-instances.js";
import type { Listening } from "../../store/tidings.js";
import type { Store } from "../../store/tables.js";
import { findCopies } from "../store/dormant.js";
import type { FoundCopy } from "../store/dormant.js";
import { lateNewsOf } from "../store/promise.js";
import { activate } from "./activate.js";
import type { Places } from "./protocol.js";

/** Finds servers and operations that are between two databases. */
export interface Awakening {
  /** Finishes the hand-over of a server to `target`, if there is one. */
  wake(ctx: Ctx, target: Store, serverId: string): Promise<void>;
  /**
   * Runs `fn` in the database where a server should be; when it is missing there, after its hand-over once
   * more.
   * @throws SERVER_MOVED when it has left for another database, in whose hands it is by then
   */
  whereAwake<T>(ctx: Ctx, target: Store, serverId: string, fn: (store: Store) => Promise<T>): Promise<T>;
}

/**
 * A hand-over takes milliseconds; one that takes longer than these pauses together was cut short. The end of
 * a pause is told by this process, where it wakes the copy itself. Another process does not tell: that is
 * looked for after the first pause.
 */
const PAUSES_MS = [25, 200];

/**
 * Servers and operations are in no database for a moment while they are handed over, or for long when a
 * conductor died there. Whoever misses one waits for the first, does it himself after the second, and looks
 * again; also when it was all over before he asked.
 * @cost one more query for what really does not exist
 */
export function awakening(places: Places, waker: Waker): Awakening {
  const { stores, deps } = places;

  /** The copy that may wake: the newest, when its source has promised. */
  const promisedCopy = async (ctx: Ctx, target: Store, serverId: string): Promise<FoundCopy | undefined> => {
    const [copy] = await findCopies(target, ctx, serverId);
    if (copy === undefined || copy.activated) return undefined;
    const { operationId, sourceDatabase, sourceFence } = copy;
    const asked = { name: operationName(serverId, operationId), target: target.name };
    return (await lateNewsOf(stores.get(sourceDatabase), ctx, asked, sourceFence)) && copy;
  };

  /** @returns whether it was told before the time was up */
  const toldWithin = async (ctx: Ctx, { told }: Listening, ms: number): Promise<boolean> => {
    const over = new AbortController();
    const { signal, leave } = firstOf([ctx.signal, over.signal]);
    try {
      return await Promise.race([
        told.then(() => true),
        deps.clock.sleep(ms, signal).then(
          () => false,
          (error: unknown) => {
            if (over.signal.aborted) return false;
            throw error;
          },
        ),
      ]);
    } finally {
      over.abort();
      leave();
    }
  };

  const finish = async (ctx: Ctx, target: Store, serverId: string, listening: Listening): Promise<void> => {
    let copy = await promisedCopy(ctx, target, serverId);
    for (const pause of PAUSES_MS) {
      if (copy === undefined || (await toldWithin(ctx, listening, pause))) return;
      copy = await promisedCopy(ctx, target, serverId);
    }
    if (copy === undefined) return;
    const name = operationName(serverId, copy.operationId);
    await activate(places, ctx, {
      database: target.name,
      name,
      owner: "",
      ownership: undefined,
      committed: undefined,
    });
    waker.wake(ctx, target.name, name);
  };

  const wake: Awakening["wake"] = async (ctx, target, serverId) => {
    if (target.name === GLOBAL || serverId === "") return;
    const listening = target.awoken.listen(serverId);
    try {
      await finish(ctx, target, serverId, listening);
    } finally {
      listening.end();
    }
  };

  return {
    wake,
    whereAwake: async (ctx, target, serverId, fn) => {
      try {
        return await fn(target);
      } catch (error) {
        if (!(error instanceof KilonovaError)) throw error;
        switch (error.reason) {
          case "OPERATION_NOT_FOUND":
          case "SERVER_NOT_FOUND":
            await wake(ctx, target, serverId);
            return fn(target);
          case "SERVER_MOVED": {
            // Its mapping may still name this database: then nobody else would get there.
            const next = target.name === GLOBAL ? "" : await leavingTo(target, ctx, serverId);
            const there = stores.all.find(({ name }) => name === next);
            if (there !== undefined) await wake(ctx, there, serverId);
            throw error;
          }
          default:
            throw error;
        }
      }
    },
  };
}
