import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { withBootDevices } from "../../servers/domain/block-devices.js";
import { knownIn, mayWake, newServersCopy } from "../domain/hand-over.js";
import { forgetNewServers } from "../store/leave.js";
import { mappingOf } from "../store/mapping-swap.js";
import { promiseNewServer } from "../store/promise.js";
import { bringSignal, forgetSignals } from "../store/signals.js";
import { copyingOf, keepCopy } from "./protocol.js";
import type { HandOver } from "./protocol.js";

/**
 * A new server goes from the global database to its first cell, or to cell0. The mapping is in the database
 * that promises, so that one statement does both: it is the commit. The global database forgets its record,
 * and remembers the operation as handed over. Signals that it got there, few servers have any, follow it when
 * it is awake.
 */
export const newServer: HandOver = {
  async prepare(places, ctx, preparing) {
    const { target, request, number } = preparing;
    const asked = InstanceRecord.decode(request.instance);
    // A build request has no rows: the server gets its first ones with its cell.
    const before = asked.records ? asked : withBootDevices(asked, () => places.deps.ids.uuid());
    const place = { database: target.name, number: await number() };
    const copying = await copyingOf(places, ctx, preparing, knownIn(before));
    const record = newServersCopy(before, place, copying);
    const stored = await keepCopy(places, ctx, preparing, "new-server", { before, record });
    target.prepared.put(stored.operation_id, stored);
  },

  promise: ({ deps }, ctx, source, asked) => promiseNewServer(source, deps, ctx, asked),

  settle: async ({ stores }, ctx, target, { serverId, sourceFence }) =>
    mayWake({
      target: target.name,
      fence: sourceFence,
      mapping: await mappingOf(stores.global, ctx, serverId),
    }),

  carry: async () => {},
  alongside: () => undefined,

  async leave({ deps }, ctx, target, source, copies) {
    for (;;) {
      const signals = await forgetNewServers(source, ctx, target.name, copies);
      if (signals.length === 0) return;
      for (const signal of signals) await bringSignal(target, deps, ctx, signal);
      await forgetSignals(source, ctx, signals);
    }
  },
};
