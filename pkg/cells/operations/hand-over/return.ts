import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { CellsErrors } from "../../errors.js";
import { returnedCopy } from "../domain/hand-over.js";
import { dropKept } from "../store/kept.js";
import { forgetServer } from "../store/leave.js";
import { unpackRows } from "../store/travelling-rows.js";
import { keptRecord } from "./kept-record.js";
import { move } from "./move.js";
import { copyingFromCell, keepCopy } from "./protocol.js";
import type { HandOver } from "./protocol.js";

/**
 * A server goes back to the cell that keeps a record of it. It is a move in the other direction, but for
 * three things: the server has its kept host and number there once more, the kept record goes when the copy
 * wakes, and the cell that it leaves keeps nothing.
 */
export const giveBack: HandOver = {
  async prepare(places, ctx, preparing) {
    const { target, operation } = preparing;
    const before = InstanceRecord.decode(preparing.request.instance);
    const server = operation.serverId;
    const kept =
      before.kept?.database === target.name
        ? await keptRecord(places, ctx, target, server, before.kept.operation)
        : undefined;
    if (kept === undefined) throw CellsErrors.RECORD_NOT_KEPT({ server });
    const copying = await copyingFromCell(places, ctx, preparing, before);
    const record = returnedCopy(before, kept, copying, target.name);
    await keepCopy(places, ctx, preparing, "return", { before, record });
  },

  promise: move.promise,
  settle: move.settle,
  carry: move.carry,

  alongside: (target) => async (tx, dormant) => {
    await unpackRows(target, tx, dormant);
    await dropKept(target, tx, dormant.server_id);
  },

  async leave(_places, ctx, target, source, copies) {
    for (const copy of copies) await forgetServer(source, ctx, target.name, copy);
  },
};
