import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { withBootDevices } from "../../servers/domain/block-devices.js";
import { mayWake, newServersCopy } from "../domain/hand-over.js";
import { storeDormant } from "../store/dormant.js";
import { forgetNewServers } from "../store/leave.js";
import { mappingOf } from "../store/mapping-swap.js";
import { promiseNewServer } from "../store/promise.js";
import { copyingOf } from "./protocol.js";
import type { HandOver } from "./protocol.js";

/**
 * A new server goes from the global database to its first cell, or to cell0. The mapping is in the database
 * that promises, so that one statement does both: it is the commit. The global database forgets its record,
 * and remembers the operation as handed over.
 */
export const newServer: HandOver = {
  async prepare(places, ctx, preparing) {
    const { target, request, operation, number } = preparing;
    const asked = InstanceRecord.decode(request.instance);
    // A build request has no rows: the server gets its first ones with its cell.
    const before = asked.records ? asked : withBootDevices(asked, () => places.deps.ids.uuid());
    const place = { database: target.name, number: await number() };
    const stored = await storeDormant(target, places.deps, ctx, {
      protocol: "new-server",
      sourceDatabase: request.sourceDatabase,
      sourceFence: request.fence,
      operation,
      record: newServersCopy(before, place, copyingOf(places, preparing)),
      userData: before.encryptedUserData,
      history: null,
    });
    if (stored !== undefined) target.prepared.put(stored.operation_id, stored);
  },

  promise: ({ deps }, ctx, source, asked) => promiseNewServer(source, deps, ctx, asked),

  settle: async ({ stores }, ctx, target, { serverId, sourceFence }) =>
    mayWake({
      target: target.name,
      fence: sourceFence,
      mapping: await mappingOf(stores.global, ctx, serverId),
    }),

  alongside: () => undefined,

  leave: (_places, ctx, target, source, copies) => forgetNewServers(source, ctx, target.name, copies),
};
