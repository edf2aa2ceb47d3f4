import type {
  AcceptServersRequest,
  AcceptServersResponse,
  GetInstanceMappingsRequest,
  GlobalServiceDefinition,
  QuotaLimit,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { operationName, parseOperationName } from "../../../model/operation-name.js";
import { presentOperation } from "../../../model/operation-view.js";
import { toTimestamp } from "../../../model/wire-time.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import type { TokenUse } from "../../operations/domain/token-use.js";
import { toStored } from "../../operations/domain/operation-rows.js";
import type { Waker } from "../../ports.js";
import { fitQuota } from "../../quota/domain/quota.js";
import { countedLimits } from "../../quota/store/quota.js";
import { serverOf } from "../../servers/domain/records.js";
import { freshServer, holdingOf } from "../../servers/store/accept-servers.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { entryOf } from "./database.js";
import { join, requireJoinable } from "./groups.js";
import { byValue, bytewise, pageSize } from "./order.js";
import { release, used } from "./quota.js";
import { readRecord } from "./servers.js";
import type { Mapping, TwinState } from "./state.js";
import { remember, replayed } from "./tokens.js";

type Served = Pick<
  Handlers<GlobalServiceDefinition>,
  "acceptServers" | "getInstanceMappings" | "listCells" | "getQuota" | "releaseHoldings"
>;

/** Acceptance, mappings, cells and quota. */
export const globalHandlers = (twin: TwinState, waker: Waker): Served => ({
  acceptServers: async (ctx, request) => {
    const accepted = acceptServers(twin, ctx, request);
    if (!accepted.replayed) for (const { name } of accepted.operations) waker.wake(ctx, "global", name);
    return accepted;
  },
  getInstanceMappings: async (_ctx, request) => ({ mappings: mappings(twin, request) }),
  listCells: async () => ({
    cells: [...twin.cells].sort(bytewise).map((name) => ({ name, uuid: name, disabled: false })),
  }),
  getQuota: async (_ctx, { projectId, userId }) => ({ limits: quota(twin, projectId, userId) }),
  releaseHoldings: async (_ctx, { serverIds }) => {
    release(twin, serverIds);
    for (const id of serverIds) {
      twin.members.delete(id);
      const mapping = twin.mappings.get(id);
      if (mapping !== undefined) twin.mappings.set(id, { ...mapping, deleted: true });
    }
    return {};
  },
});

function acceptServers(twin: TwinState, ctx: Ctx, request: AcceptServersRequest): AcceptServersResponse {
  const { actor } = request;
  if (actor === undefined) throw CommonErrors.INVALID_ARGUMENT({ field: "actor", problem: "somebody asks" });
  const first = request.servers[0]?.server;
  const token: TokenUse = {
    projectId: first?.projectId ?? actor.projectId,
    userId: actor.userId,
    method: "CreateServers",
    token: request.clientToken,
    bodyHash: request.bodyHash,
  };
  const before = replayed(twin.global, token);
  if (before !== undefined) return replay(twin, before);
  if (first === undefined) return { servers: [], operations: [], replayed: false };
  const holdings = request.servers.map(holdingOf);
  const limits = countedLimits(Object.fromEntries(twin.limits));
  const fits = fitQuota(holdings, request.minCount, used(twin, first.projectId), limits);
  if (typeof fits !== "number") throw CellsErrors.QUOTA_EXCEEDED(fits);
  const groupId = request.servers[0]?.spec?.serverGroupId ?? "";
  if (groupId !== "") requireJoinable(twin, groupId, first.userId, fits);
  const now = twin.deps.clock.now();
  const fresh = request.servers
    .slice(0, fits)
    .map((one) => freshServer(twin.deps, ctx, one, actor, request.traceparent, now));
  const { global } = twin;
  for (const [index, { record, operation, userData }] of fresh.entries()) {
    const server = serverOf(record);
    const { id: serverId, projectId, userId } = server;
    twin.holdings.set(serverId, { ...(holdings[index] ?? { cores: 0, ram: 0 }), projectId });
    twin.mappings.set(serverId, {
      serverId,
      database: global.name,
      projectId,
      userId,
      deleted: false,
      createdAt: toTimestamp(now),
    });
    global.instances.set(serverId, entryOf(record, { user_data: userData }));
    global.operations.set(operation.id, operation);
    global.timeline.begin(operation, actor, now, []);
  }
  const operations = fresh.map(({ operation }) => operation);
  const servers = fresh.map(({ record }) => serverOf(record));
  if (groupId !== "")
    join(
      twin,
      groupId,
      servers.map(({ id }) => id),
      now,
    );
  remember(
    global,
    token,
    operations.map(({ server_id, id }) => operationName(server_id, id)),
  );
  global.tell(
    fresh.flatMap(({ record, operation }) => [
      instanceChanged(record, instanceColumns(record), "created"),
      operationChanged(operation, "created"),
    ]),
  );
  return { servers, operations: operations.map((row) => presentOperation(toStored(row))), replayed: false };
}

/** What an earlier call made, as it is now, wherever it is now. */
function replay(twin: TwinState, names: readonly string[]): AcceptServersResponse {
  const found = names.map((name) => {
    const serverId = parseOperationName(name)?.serverId ?? "";
    const database = twin.locate("", serverId);
    return {
      operation: presentOperation(toStored(database.operation(name))),
      server: serverOf(readRecord(database, { serverId, projectId: "", withDeleted: true })),
    };
  });
  return {
    servers: found.map(({ server }) => server),
    operations: found.map(({ operation }) => operation),
    replayed: true,
  };
}

function mappings(twin: TwinState, request: GetInstanceMappingsRequest): Mapping[] {
  const { serverIds, databases, projectId, limit } = request;
  const all = [...twin.mappings.values()];
  if (serverIds.length > 0) return all.filter((one) => serverIds.includes(one.serverId));
  const at = ({ createdAt }: Mapping): bigint =>
    createdAt === undefined ? 0n : createdAt.seconds * 1_000_000_000n + BigInt(createdAt.nanos);
  return all
    .filter(
      (one) =>
        databases.includes(one.database) && !one.deleted && (projectId === "" || one.projectId === projectId),
    )
    .sort((a, b) => byValue(at(a), at(b)) || bytewise(a.serverId, b.serverId))
    .slice(0, pageSize(limit));
}

function quota(twin: TwinState, projectId: string, userId: string): QuotaLimit[] {
  const inUse: Readonly<Record<string, number>> = {
    ...used(twin, projectId),
    key_pairs: twin.keyPairs.filter((one) => one.userId === userId).length,
    server_groups: [...twin.groups.values()].filter(({ group }) => group.projectId === projectId).length,
  };
  return [...twin.limits].map(([resource, limit]) => ({
    resource,
    limit: BigInt(limit),
    used: BigInt(inUse[resource] ?? 0),
  }));
}
