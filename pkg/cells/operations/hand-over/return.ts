import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { CellsErrors } from "../../errors.js";
import { returnedCopy } from "../domain/hand-over.js";
import { storeDormant } from "../store/dormant.js";
import { dropKept, findKept } from "../store/kept.js";
import { forgetServer } from "../store/leave.js";
import { unpackHistory } from "../store/travelling-rows.js";
import { move, packedHistory } from "./move.js";
import { copyingOf } from "./protocol.js";
import type { HandOver } from "./protocol.js";

/**
 * A server goes back to the cell that keeps a record of it. It is a move in the other direction, but for
 * three things: the server has its kept host and number there once more, the kept record goes when the copy
 * wakes, and the cell that it leaves keeps nothing.
 */
export const giveBack: HandOver = {
  async prepare(places, ctx, preparing) {
    const { target, request, operation } = preparing;
    const before = InstanceRecord.decode(request.instance);
    const server = operation.serverId;
    const kept =
      before.kept?.database === target.name
        ? await findKept(target, ctx, server, before.kept.operation)
        : undefined;
    if (kept === undefined) throw CellsErrors.RECORD_NOT_KEPT({ server });
    await storeDormant(target, places.deps, ctx, {
      protocol: "return",
      sourceDatabase: request.sourceDatabase,
      sourceFence: request.fence,
      operation,
      record: returnedCopy(before, kept, copyingOf(places, preparing), target.name),
      userData: before.encryptedUserData,
      history: await packedHistory(places, ctx, request.sourceDatabase, operation),
    });
  },

  promise: move.promise,
  settle: move.settle,

  alongside: (target) => async (tx, dormant) => {
    await unpackHistory(target, tx, dormant);
    await dropKept(target, tx, dormant.server_id);
  },

  async leave(_places, ctx, target, source, copies) {
    for (const copy of copies) await forgetServer(source, ctx, target.name, copy);
  },
};
