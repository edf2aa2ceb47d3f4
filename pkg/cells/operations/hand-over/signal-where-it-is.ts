import type { Ctx } from "../../../kernel/ctx.js";
import { parseOperationName } from "../../../model/operation-name.js";
import type { Store } from "../../store/tables.js";
import { handedOverTo } from "../store/read-operations.js";
import { signalOperation } from "../store/signals.js";
import type { Signal, SignalOutcome } from "../store/signals.js";
import type { Awakening } from "./awakening.js";
import type { Places } from "./protocol.js";

/** How a signal was taken, and where. */
export interface Signalled extends SignalOutcome {
  readonly database: string;
}

/** Looks for one signal's operation: more hand-overs than these need do not happen while it is on its way. */
const MAX_HOPS = 6;

/**
 * Stores a signal where its operation is by now: who sends it may not know that it has gone to another
 * database, or it is on its way there.
 * @throws as `signalOperation`
 * @cost one statement; more only when it is not taken there
 */
export async function signalWhereItIs(
  { stores, deps }: Places,
  { wake }: Pick<Awakening, "wake">,
  ctx: Ctx,
  begin: Store,
  signal: Signal,
): Promise<Signalled> {
  let store = begin;
  let looked: Store | undefined;
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    const taken = { ...(await signalOperation(store, deps, ctx, signal)), database: store.name };
    if (taken.accepted) return taken;
    const next = await handedOverTo(store, ctx, signal.operation);
    if (next === "" || (next === undefined && looked === store)) return taken;
    if (next === undefined) {
      looked = store;
      await wake(ctx, store, parseOperationName(signal.operation)?.serverId ?? "");
    } else store = stores.get(next);
  }
  return { accepted: false, woke: false, database: store.name };
}
