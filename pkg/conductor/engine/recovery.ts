import type { ListDormantResponse } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { mapLimit } from "../../kernel/concurrency.js";
import { within } from "../../kernel/ctx.js";
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

/** Databases that are looked through side by side. */
const DATABASES_AT_ONCE = 4;
/** A source that does not answer within this time does not keep the next copy waiting. */
const VERDICT_MS = 2_000;

/**
 * Looks after dormant copies that a dead conductor left: asks the source, then wakes or drops them. One that
 * cannot be looked after now, because its source is away say, does not keep others waiting: a look that was
 * cut short is gone on with after the copy at which it was, and only then begun anew.
 * @param onAwake  told of each operation that can go on now
 * @returns one look at all copies of the databases that are older than `olderThanMs`
 */
export function handOverRecovery(
  store: DormantStore,
  olderThanMs: number,
  onAwake: (database: string, name: string) => void,
): (ctx: Ctx, databases: readonly string[]) => Promise<void> {
  /** By database: where its look goes on. */
  const reached = new Map<string, string>();

  const pageAt = async (ctx: Ctx, database: string, pageToken: string): Promise<ListDormantResponse> => {
    try {
      return await store.listDormant(ctx, { database, olderThan: toDuration(olderThanMs), pageToken });
    } catch (error) {
      if (ctx.signal.aborted) throw error;
      ctx.log.warn("operation.dormant.unlisted", { database, error });
      return { operations: [], nextPageToken: "" };
    }
  };

  const lookThrough = async (ctx: Ctx, database: string): Promise<void> => {
    do {
      const { operations, nextPageToken } = await pageAt(ctx, database, reached.get(database) ?? "");
      for (const { name, sourceDatabase, pageToken } of operations) {
        reached.set(database, pageToken);
        try {
          if (await lookAfter(ctx, store, database, name, sourceDatabase)) onAwake(database, name);
        } catch (error) {
          if (ctx.signal.aborted) throw error;
          ctx.log.warn("operation.dormant.failed", { operation: name, database, error });
        }
      }
      reached.set(database, nextPageToken);
    } while (reached.get(database) !== "");
  };

  return async (ctx, databases) => {
    const cells = databases.filter((name) => name !== GLOBAL);
    await mapLimit(cells, DATABASES_AT_ONCE, (database) => lookThrough(ctx, database));
  };
}

/** @returns whether the operation can go on now */
async function lookAfter(
  ctx: Ctx,
  store: DormantStore,
  database: string,
  name: string,
  source: string,
): Promise<boolean> {
  const verdict = await within(ctx, VERDICT_MS, "The source of a copy", (inner) =>
    verdictOf(inner, store, source, name, database),
  );
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
