import type { ServerRecordsServiceDefinition } from "../../../../gen/kilonova/cells/v1/server_records_service.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import type { StoreDeps } from "../../store/deps.js";
import type { Stores } from "../../stores.js";
import { getMigration, listBlockDevices, listMigrations } from "../store/list-server-rows.js";

/** Serves the rows that belong to servers. */
export const serverRecordsHandlers = ({
  stores,
  deps,
}: {
  readonly stores: Stores;
  readonly deps: StoreDeps;
}): Handlers<ServerRecordsServiceDefinition> => ({
  listBlockDevices: (ctx, request) =>
    listBlockDevices(
      stores.get(request.database),
      deps,
      ctx,
      request,
      request.withConnectionInfo && ctx.peer.service === "conductor",
    ),
  listMigrations: (ctx, request) => listMigrations(stores.get(request.database), ctx, request),
  getMigration: (ctx, request) => getMigration(stores.get(request.database), ctx, request),
});
