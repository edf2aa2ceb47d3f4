import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { movedCopy } from "../domain/hand-over.js";
import { storeDormant } from "../store/dormant.js";
import { keepServer } from "../store/leave.js";
import { swapMapping } from "../store/mapping-swap.js";
import { operationIdOf } from "../store/owned-operation.js";
import { promiseServer } from "../store/promise.js";
import { packHistory, unpackHistory } from "../store/travelling-rows.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { copyingOf } from "./protocol.js";
import type { HandOver, Places } from "./protocol.js";

/**
 * A server goes from one cell to another. The copy has its whole history. The promise freezes the server in
 * its cell; the swap of the mapping is the commit: until then it is in the old cell for everybody, afterwards
 * in the new one. A promise is not taken back, so that neither has to wait for the other: whoever finds the
 * copy swaps. The old cell keeps the record, hidden, until it is forgotten (`ForgetKept`) or returned to.
 */
export const move: HandOver = {
  async prepare(places, ctx, preparing) {
    const { target, request, operation, number } = preparing;
    const before = InstanceRecord.decode(request.instance);
    const place = { database: target.name, number: await number() };
    await storeDormant(target, places.deps, ctx, {
      protocol: "move",
      sourceDatabase: request.sourceDatabase,
      sourceFence: request.fence,
      operation,
      record: movedCopy(before, place, copyingOf(places, preparing), request.sourceDatabase),
      userData: before.encryptedUserData,
      history: await packedHistory(places, ctx, request.sourceDatabase, operation),
    });
  },

  promise: ({ deps }, ctx, source, asked) => promiseServer(source, deps, ctx, asked),

  settle: ({ stores }, ctx, target, { serverId, sourceDatabase, sourceFence }) =>
    swapMapping(stores.global, ctx, {
      serverId,
      from: sourceDatabase,
      to: target.name,
      fence: sourceFence,
    }),

  alongside: (target) => (tx, dormant) => unpackHistory(target, tx, dormant),

  async leave({ deps }, ctx, target, source, copies) {
    for (const copy of copies) await keepServer(source, deps, ctx, target.name, copy);
  },
};

/** What goes with a server from its cell. */
export async function packedHistory(
  { stores }: Places,
  ctx: Ctx,
  database: string,
  { name, serverId }: StoredOperation,
): Promise<Buffer> {
  const source = stores.cell(database);
  return source.db.read(ctx, "handover.pack", (tx) => packHistory(source, tx, serverId, operationIdOf(name)));
}
