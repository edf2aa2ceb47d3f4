import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import type { Stores } from "../../stores.js";
import type { Store } from "../../store/tables.js";
import { getOperation } from "../store/read-operations.js";

/**
 * Without those that are in the database to which they were handed over: that one shows them as they are.
 * @cost nothing, but for each that is between two databases one query
 */
export async function notYetElsewhere(
  stores: Stores,
  ctx: Ctx,
  operations: readonly StoredOperation[],
): Promise<StoredOperation[]> {
  const left = await Promise.all(
    operations.map(async (one) =>
      one.handedOverTo === "" || !(await isIn(stores.get(one.handedOverTo), ctx, one.name)) ? [one] : [],
    ),
  );
  return left.flat();
}

async function isIn(store: Store, ctx: Ctx, name: string): Promise<boolean> {
  try {
    await getOperation(store, ctx, name);
    return true;
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "OPERATION_NOT_FOUND") return false;
    throw error;
  }
}
