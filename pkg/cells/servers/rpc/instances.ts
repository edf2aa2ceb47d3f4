import { ServerFilter } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type { InstancesServiceDefinition } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { awakening } from "../../operations/hand-over/awakening.js";
import type { Waker } from "../../ports.js";
import type { Stores } from "../../stores.js";
import { acceptOperation } from "../../operations/store/accept-operation.js";
import type { QuotaDesk } from "../../quota/domain/claims.js";
import type { StoreDeps } from "../../store/deps.js";
import { listInstances } from "../store/list-instances.js";
import { presentOperation } from "../../../model/operation-view.js";
import { getAction, listActions } from "../../operations/store/read-actions.js";
import { countInstances, getInstance, updateInstance } from "../store/read-instances.js";
import { clearServerPassword, saveServerPassword } from "../store/server-password.js";
import type { Store } from "../../store/tables.js";

export interface InstancesDeps {
  readonly stores: Stores;
  readonly deps: StoreDeps;
  readonly waker: Waker;
  readonly desk: QuotaDesk;
}

/** Serves the records of each database. */
export function instancesHandlers({
  stores,
  deps,
  waker,
  desk,
}: InstancesDeps): Handlers<InstancesServiceDefinition> {
  const { whereAwake } = awakening({ stores, deps }, waker);
  const awake = <T>(
    ctx: Ctx,
    database: string,
    serverId: string,
    fn: (store: Store) => Promise<T>,
  ): Promise<T> => whereAwake(ctx, stores.get(database), serverId, fn);
  return {
    getInstance: async (ctx, request) => {
      const instance = await awake(ctx, request.database, request.serverId, (store) =>
        getInstance(store, deps, ctx, request),
      );
      // An agent sees the instances of its own host only.
      if (ctx.peer.service === "compute" && instance.server?.hostInfo?.host !== ctx.peer.host)
        throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
      return { instance };
    },
    listInstances: (ctx, request) => {
      const filter =
        ctx.peer.service === "compute"
          ? ServerFilter.fromPartial({ ...request.filter, host: ctx.peer.host })
          : request.filter;
      return listInstances(stores.get(request.database), ctx, { ...request, filter });
    },
    updateInstance: (ctx, request) =>
      awake(ctx, request.database, request.server?.id ?? "", (store) =>
        updateInstance(store, deps, ctx, request),
      ),
    saveServerPassword: async (ctx, request) => {
      const host = ctx.peer.service === "compute" ? ctx.peer.host : undefined;
      await awake(ctx, request.database, request.serverId, (store) =>
        saveServerPassword(store, deps, ctx, request, host),
      );
      return {};
    },
    clearServerPassword: async (ctx, request) => {
      await awake(ctx, request.database, request.serverId, (store) =>
        clearServerPassword(store, deps, ctx, request),
      );
      return {};
    },
    acceptOperation: async (ctx, request) => {
      const { operation, replayed } = await awake(ctx, request.database, request.serverId, (store) =>
        acceptOperation(store, deps, ctx, request, desk),
      );
      if (!replayed) waker.wake(ctx, request.database, operation.name);
      return { operation: presentOperation(operation), replayed };
    },
    listActions: async (ctx, { database, query, marker }) =>
      query === undefined
        ? { actions: [], nextPageToken: "" }
        : listActions(stores.get(database), ctx, query, marker),
    getAction: async (ctx, { database, serverId, requestId }) => ({
      action: await getAction(stores.get(database), ctx, serverId, requestId),
    }),
    countInstances: async (ctx, { database, host }) => ({
      instances: await countInstances(stores.get(database), ctx, host),
    }),
  };
}
