import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import { isLive } from "../../model/operation-states.js";
import { toDuration } from "../../model/wire-time.js";
import type { OperationStore } from "./operation-store.js";

/**
 * Looks after dormant copies that a dead conductor left: asks the source, then wakes or drops them.
 * @param onAwake  told of each operation that can go on now
 */
export async function recoverHandovers(
  ctx: Ctx,
  store: OperationStore,
  databases: readonly string[],
  olderThanMs: number,
  onAwake: (database: string, name: string) => void,
): Promise<void> {
  for (const database of databases.filter((name) => name !== "global")) {
    const { operations } = await store.listDormant(ctx, { database, olderThan: toDuration(olderThanMs) });
    for (const { name, sourceDatabase } of operations) {
      const verdict = await verdictOf(ctx, store, sourceDatabase, name, database);
      ctx.log.info("operation.dormant.found", { operation: name, database, verdict });
      if (verdict === "wake") {
        await store.activateHandover(ctx, { database, name });
        onAwake(database, name);
      }
      if (verdict === "drop") await store.dropHandover(ctx, { database, name });
    }
  }
}

async function verdictOf(
  ctx: Ctx,
  store: OperationStore,
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
