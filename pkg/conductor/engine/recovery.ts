import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { GLOBAL } from "../../model/database-names.js";
import { isLive } from "../../model/operation-states.js";
import { toDuration } from "../../model/wire-time.js";
import type { OperationStore } from "./operation-store.js";

/** What recovery asks of the store. */
type DormantStore = Pick<
  OperationStore,
  "listDormant" | "getStoredOperation" | "activateHandover" | "dropHandover"
>;

/**
 * Looks after dormant copies that a dead conductor left: asks the source, then wakes or drops them. One that
 * cannot be looked after now, because its source is away say, does not keep others waiting.
 * @param onAwake  told of each operation that can go on now
 */
export async function recoverHandovers(
  ctx: Ctx,
  store: DormantStore,
  databases: readonly string[],
  olderThanMs: number,
  onAwake: (database: string, name: string) => void,
): Promise<void> {
  for (const database of databases.filter((name) => name !== GLOBAL)) {
    const { operations } = await store
      .listDormant(ctx, { database, olderThan: toDuration(olderThanMs) })
      .catch((error: unknown) => {
        if (ctx.signal.aborted) throw error;
        ctx.log.warn("operation.dormant.unlisted", { database, error });
        return { operations: [] };
      });
    for (const { name, sourceDatabase } of operations) {
      try {
        if (await lookAfter(ctx, store, database, name, sourceDatabase)) onAwake(database, name);
      } catch (error) {
        if (ctx.signal.aborted) throw error;
        ctx.log.warn("operation.dormant.failed", { operation: name, database, error });
      }
    }
  }
}

/** @returns whether the operation can go on now */
async function lookAfter(
  ctx: Ctx,
  store: DormantStore,
  database: string,
  name: string,
  source: string,
): Promise<boolean> {
  const verdict = await verdictOf(ctx, store, source, name, database);
  ctx.log.info("operation.dormant.found", { operation: name, database, verdict });
  if (verdict === "wake") await store.activateHandover(ctx, { database, name });
  if (verdict === "drop") await store.dropHandover(ctx, { database, name });
  return verdict === "wake";
}

async function verdictOf(
  ctx: Ctx,
  store: DormantStore,
  source: string,
  name: string,
  target: string,
): Promise<"wake" | "drop" | "wait"> {
  try {
    const { operation } = await store.getStoredOperation(ctx, { database: source, name });
    if (operation?.handedOverTo === target) return "wake";
    return operation !== undefined && isLive(operation.state) ? "wait" : "drop";
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "OPERATION_NOT_FOUND") return "drop";
    throw error;
  }
}
