import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Store } from "../../store/tables.js";
import { findCopy } from "../store/dormant.js";
import { findKept, forgetKept } from "../store/kept.js";
import { keepServer } from "../store/leave.js";
import { operationIdOf } from "../store/owned-operation.js";
import { handedOverTo } from "../store/read-operations.js";
import type { Places } from "./protocol.js";

/** The record that a cell keeps for a server's return from where an operation has moved it. */
export async function keptRecord(
  places: Places,
  ctx: Ctx,
  cell: Store,
  serverId: string,
  operation: string,
): Promise<InstanceRecord | undefined> {
  const find = (): Promise<InstanceRecord | undefined> => findKept(cell, ctx, serverId, operation);
  return (await find()) ?? ((await hidden(places, ctx, cell, operation)) ? find() : undefined);
}

/** Forgets it. Repeatable; the record of a later move stays. */
export async function forgetKeptRecord(
  places: Places,
  ctx: Ctx,
  cell: Store,
  serverId: string,
  operation: string,
): Promise<void> {
  const forgotten = await forgetKept(cell, ctx, serverId, operation);
  if (!forgotten && (await hidden(places, ctx, cell, operation)))
    await forgetKept(cell, ctx, serverId, operation);
}

/**
 * An operation may go on where it has moved a server to before the cell that it left has hidden the record:
 * then that is done here.
 * @returns whether it may be kept now
 */
async function hidden({ stores, deps }: Places, ctx: Ctx, cell: Store, operation: string): Promise<boolean> {
  const target = await handedOverTo(cell, ctx, operation);
  if (target === undefined || target === "") return false;
  const copy = await findCopy(stores.get(target), ctx, operationIdOf(operation));
  if (copy?.activated !== true || copy.sourceDatabase !== cell.name) return false;
  await keepServer(cell, deps, ctx, target, copy);
  return true;
}
