import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { movedCopy } from "../domain/hand-over.js";
import { keepServer } from "../store/leave.js";
import { swapMapping } from "../store/mapping-swap.js";
import { promiseServer } from "../store/promise.js";
import { carryRows, unpackRows } from "../store/travelling-rows.js";
import { copyingFromCell, keepCopy } from "./protocol.js";
import type { HandOver } from "./protocol.js";

/**
 * A server goes from one cell to another. The promise freezes the server in its cell, with its whole history,
 * which is brought after it; the swap of the mapping is the commit: until then it is in the old cell for
 * everybody, afterwards in the new one. A promise is not taken back, so that neither has to wait for the
 * other: whoever finds the copy swaps. The old cell keeps the record, hidden, until it is forgotten
 * (`ForgetKept`) or returned to.
 */
export const move: HandOver = {
  async prepare(places, ctx, preparing) {
    const { target, request, number } = preparing;
    const before = InstanceRecord.decode(request.instance);
    const place = { database: target.name, number: await number() };
    const copying = await copyingFromCell(places, ctx, preparing, before);
    const record = movedCopy(before, place, copying, request.sourceDatabase);
    await keepCopy(places, ctx, preparing, "move", { before, record });
  },

  promise: ({ deps }, ctx, source, asked) => promiseServer(source, deps, ctx, asked),

  settle: ({ stores }, ctx, target, { serverId, sourceDatabase, sourceFence }) =>
    swapMapping(stores.global, ctx, {
      serverId,
      from: sourceDatabase,
      to: target.name,
      fence: sourceFence,
    }),

  carry: (_places, ctx, target, source, copy) => carryRows(source, target, ctx, copy),

  alongside: (target) => (tx, dormant) => unpackRows(target, tx, dormant),

  async leave({ deps }, ctx, target, source, copies) {
    for (const copy of copies) await keepServer(source, deps, ctx, target.name, copy);
  },
};
