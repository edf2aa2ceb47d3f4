import type { Ctx } from "../../../kernel/ctx.js";
import type { Store } from "../../store/tables.js";
import { dropCopies, oldCopies } from "../store/dormant.js";
import type { FoundCopy, OldCopies, OldCopiesPage } from "../store/dormant.js";
import type { Places } from "./protocol.js";
import { handOvers } from "./protocols.js";

/**
 * Copies that have been dormant for long: somebody has to ask their source. Those that woke since are
 * forgotten here, a page at a time, the source's record first: a boot does not wait for it. What cannot be
 * forgotten or woken now stands at the beginning for long: go on to the next page.
 */
export async function overdueCopies(
  places: Places,
  ctx: Ctx,
  target: Store,
  asked: OldCopies,
): Promise<OldCopiesPage> {
  const { copies: old, nextPageToken } = await oldCopies(target, places.deps, ctx, asked);
  const awake = old.filter(({ activated }) => activated);
  for (const copies of bySourceAndProtocol(awake)) {
    const [{ sourceDatabase, protocol }] = copies;
    try {
      await handOvers[protocol].leave(places, ctx, target, places.stores.get(sourceDatabase), copies);
      await dropCopies(target, ctx, copies);
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      // They are forgotten another time; those of other sources do not wait for this one.
      ctx.log.warn("operation.dormant.kept", { database: target.name, source: sourceDatabase, error });
    }
  }
  return { copies: old.filter(({ activated }) => !activated), nextPageToken };
}

type Some<T> = [T, ...T[]];

function bySourceAndProtocol(copies: readonly FoundCopy[]): Some<FoundCopy>[] {
  const groups = new Map<string, Some<FoundCopy>>();
  for (const copy of copies) {
    const key = `${copy.protocol} ${copy.sourceDatabase}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [copy]);
    else group.push(copy);
  }
  return [...groups.values()];
}
