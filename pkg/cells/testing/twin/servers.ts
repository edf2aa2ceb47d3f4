import { ServerFilter } from "../../../../gen/kilonova/api/v1/servers_service.js";
import type {
  InstancesServiceDefinition,
  UpdateInstanceRequest,
} from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { presentOperation } from "../../../model/operation-view.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { askedOf, checkAcceptable } from "../../operations/domain/acceptance.js";
import { toStored } from "../../operations/domain/operation-rows.js";
import type { Waker } from "../../ports.js";
import { applyUserChange } from "../../servers/domain/apply-change.js";
import { volumesOf } from "../../servers/domain/block-devices.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { firstPassword, requirePassword, withServerPassword } from "../../servers/domain/server-password.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { instanceChanged } from "../../servers/store/changed-rows.js";
import { withProgress } from "../../servers/store/shown-progress.js";
import { visible } from "../../servers/store/read-instances.js";
import { acceptOperation } from "./accept-operation.js";
import type { InstanceEntry, TwinDatabase } from "./database.js";
import { listServers } from "./list-servers.js";
import { storeRows, volumeChanged } from "./server-rows.js";
import type { TwinState } from "./state.js";

/** Records of servers. */
export const serverHandlers = (twin: TwinState, waker: Waker): Handlers<InstancesServiceDefinition> => ({
  getInstance: async ({ peer }, { database, withUserData, ...asked }) => {
    const where = twin.database(database);
    const entry = visible(where.instances.get(asked.serverId), asked);
    const { user_data } = entry;
    const loaded = recordOf(entry);
    const record = { ...loaded, server: withProgress(serverOf(loaded), where.progressOf(entry)) };
    if (peer.service === "compute" && record.server.hostInfo?.host !== peer.host)
      throw CellsErrors.SERVER_NOT_FOUND({ server: asked.serverId });
    if (!withUserData || user_data === null) return { instance: record };
    const userData = twin.deps.box.open(user_data, asked.serverId).toString();
    return { instance: { ...record, server: { ...record.server, userData } } };
  },
  listInstances: async ({ peer }, request) =>
    listServers(
      twin.database(request.database),
      peer.service === "compute"
        ? { ...request, filter: ServerFilter.fromPartial({ ...request.filter, host: peer.host }) }
        : request,
    ),
  updateInstance: async (_ctx, request) => update(twin, request),
  saveServerPassword: async ({ peer }, { database, serverId, serverPassword }) => {
    requirePassword(serverPassword);
    const host = peer.service === "compute" ? peer.host : undefined;
    changePassword(twin.database(database), { serverId, projectId: "", host }, (before) =>
      firstPassword(serverId, before, serverPassword),
    );
    return {};
  },
  clearServerPassword: async (_ctx, { database, serverId, projectId }) => {
    changePassword(twin.database(database), { serverId, projectId, host: undefined }, () => "");
    return {};
  },
  acceptOperation: async (ctx, request) => {
    const { operation, replayed } = acceptOperation(twin, ctx, request);
    const stored = toStored(operation);
    if (!replayed) waker.wake(ctx, request.database, stored.name);
    return { operation: presentOperation(stored), replayed };
  },
  listActions: async (_ctx, { database, query, marker }) => {
    const { timeline } = twin.database(database);
    return query === undefined ? { actions: [], nextPageToken: "" } : timeline.list(query, marker);
  },
  getAction: async (_ctx, { database, serverId, requestId }) => ({
    action: twin.database(database).timeline.get(serverId, requestId),
  }),
  countInstances: async (_ctx, { database, host }) => ({
    instances: [...twin.database(database).instances.values()].filter(
      ({ deleted, columns }) => !deleted && (host === "" || columns["host"] === host),
    ).length,
  }),
});

interface Asked {
  readonly serverId: string;
  readonly projectId: string;
  readonly withDeleted?: boolean;
}

/** A record without its user data. @throws SERVER_NOT_FOUND, SERVER_MOVED */
export const readRecord = ({ instances }: TwinDatabase, asked: Asked): InstanceRecord =>
  recordOf(visible(instances.get(asked.serverId), asked));

const recordOf = (entry: InstanceEntry): InstanceRecord => ({
  ...loadRecord(entry),
  encryptedUserData: Buffer.alloc(0),
});

function update(
  twin: TwinState,
  request: UpdateInstanceRequest,
): { instance: InstanceRecord; changed: boolean } {
  const database = twin.database(request.database);
  const serverId = request.server?.id ?? "";
  const entry = visible(database.instances.get(serverId), { serverId, projectId: request.projectId });
  if (request.expectedGeneration !== 0n && BigInt(entry.generation) !== request.expectedGeneration)
    throw CellsErrors.GENERATION_CONFLICT({ server: serverId });
  const before = recordOf(entry);
  if (request.conditions !== undefined) checkAcceptable(serverOf(before), askedOf(request.conditions));
  const now = twin.deps.clock.now();
  const devices = request.volume && volumeChanged(database, twin.deps, before, request.volume, now);
  const written = devices?.written ?? [];
  const volumes = written.length === 0 ? undefined : volumesOf(devices?.present ?? []);
  const record = applyUserChange(before, request, now, volumes);
  if (record === before) return { instance: record, changed: false };
  storeRows(database, twin.deps, { devices: written, migrations: [] });
  change(database, entry, record);
  return { instance: record, changed: true };
}

/** Stores a record and tells of it. */
function change(database: TwinDatabase, before: InstanceEntry, record: InstanceRecord): void {
  database.store(record, before);
  database.tell([instanceChanged(record, instanceColumns(record), "changed")]);
}

function changePassword(
  database: TwinDatabase,
  asked: Asked & { readonly host: string | undefined },
  next: (before: string) => string,
): void {
  const entry = visible(database.instances.get(asked.serverId), asked);
  const before = recordOf(entry);
  if (asked.host !== undefined && before.server?.hostInfo?.host !== asked.host)
    throw CellsErrors.SERVER_NOT_FOUND({ server: asked.serverId });
  const password = next(before.serverPassword);
  if (password !== before.serverPassword) change(database, entry, withServerPassword(before, password));
}
