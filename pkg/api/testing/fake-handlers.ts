import { FeedServiceDefinition } from "../../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { Aggregate } from "../../../gen/kilonova/api/v1/aggregates_service.js";
import { AggregateStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/aggregates_service.js";
import type { ServerGroup } from "../../../gen/kilonova/api/v1/server_groups_service.js";
import { ServerGroupStoreServiceDefinition } from "../../../gen/kilonova/cells/v1/server_groups_service.js";
import { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { InstancesServiceDefinition } from "../../../gen/kilonova/cells/v1/instances_service.js";
import {
  OperationStoreServiceDefinition,
  StoredOperation,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import type { SortKey } from "../../../gen/kilonova/type/v1/page.js";
import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { changedAggregate, zoneConflict } from "../../cells/hosts/domain/aggregate-change.js";
import { askedOf, checkAcceptable } from "../../cells/operations/domain/acceptance.js";
import { applyUserChange } from "../../cells/servers/domain/apply-change.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import { fromTimestamp } from "../../model/wire-time.js";
import { operationName } from "../../model/operation-name.js";
import type { Handlers, ServiceBinding, ServiceDefinition } from "../../platform/rpc/index.js";
import { bindService } from "../../platform/rpc/index.js";
import { systemClock } from "../../platform/process/clock.js";
import { compareBytes } from "../domain/merge-rows.js";
import { presentOperation } from "../view/operation-view.js";
import type { FakeCells } from "./fake-cells.js";
import { FakeErrors } from "./fake-cells.js";

/** Serves a `FakeCells` as the cells service. Methods that no test of the api needs answer UNIMPLEMENTED. */
export const fakeCellsBindings = (cells: FakeCells): ServiceBinding[] => [
  bind(cells, GlobalServiceDefinition, globalHandlers(cells)),
  bind(cells, AggregateStoreServiceDefinition, aggregateHandlers(cells)),
  bind(cells, ServerGroupStoreServiceDefinition, groupHandlers(cells)),
  bind(cells, InstancesServiceDefinition, instanceHandlers(cells)),
  bind(cells, HostsServiceDefinition, hostHandlers(cells)),
  bind(cells, OperationStoreServiceDefinition, operationHandlers(cells)),
  bindService(FeedServiceDefinition, {
    getFeedHead: async (ctx, { database }) => {
      await answering(cells, ctx, database);
      const { incarnation, revision, compactedRevision } = cells.feed(database);
      return { incarnation, revision, compactedRevision, expectedRevision: revision };
    },
    readFeed: async (ctx, request) => {
      await answering(cells, ctx, request.database);
      cells.calls.push(`readFeed ${request.database}`);
      return cells.feed(request.database).read(request);
    },
    watchFeed: (ctx, request) => cells.feed(request.database).watch(ctx, request),
  }),
];

function bind<D extends ServiceDefinition>(
  cells: FakeCells,
  definition: D,
  some: Partial<Handlers<D>>,
): ServiceBinding {
  const all: Record<string, unknown> = {};
  for (const key of Object.keys(definition.methods)) {
    const handler = (some as Record<string, (ctx: Ctx, request: unknown) => Promise<unknown>>)[key];
    all[key] = async (ctx: Ctx, request: { readonly database?: string; readonly cell?: string }) => {
      const database = request.database ?? request.cell ?? "";
      cells.calls.push(database === "" ? key : `${key} ${database}`);
      cells.requests.set(key, request);
      await answering(cells, ctx, database);
      if (handler === undefined) throw CommonErrors.UNIMPLEMENTED({ what: key });
      return handler(ctx, request);
    };
  }
  return bindService(definition, all as Handlers<D>);
}

/** A silent database answers when the caller has given up. */
async function answering(cells: FakeCells, ctx: Ctx, database: string): Promise<void> {
  if (!cells.silent.has(database)) return;
  await new Promise<void>((resolve) => ctx.signal.addEventListener("abort", () => resolve(), { once: true }));
  throw CommonErrors.UNAVAILABLE({ what: database });
}

const aggregateHandlers = (cells: FakeCells): Partial<Handlers<AggregateStoreServiceDefinition>> => {
  const find = (asked: string): Aggregate => {
    const found = [...cells.aggregates.values()].find(
      ({ id, number }) => id === asked || number.toString() === asked,
    );
    if (found === undefined) throw FakeErrors.AGGREGATE_NOT_FOUND({ aggregate: asked });
    return found;
  };
  return {
    createStoredAggregate: async (_ctx, { aggregate }) => {
      const stored = {
        ...(aggregate ?? Aggregate.fromPartial({})),
        number: BigInt(cells.aggregates.size + 1),
      };
      cells.aggregates.set(stored.id, stored);
      return { aggregate: stored, replayed: false };
    },
    getStoredAggregate: async (_ctx, { aggregateId }) => ({ aggregate: find(aggregateId) }),
    listStoredAggregates: async (_ctx, { host }) => ({
      aggregates: [...cells.aggregates.values()].filter(({ hosts }) => host === "" || hosts.includes(host)),
      nextPageToken: "",
    }),
    updateStoredAggregate: async (_ctx, request) => {
      const before = find(request.aggregateId);
      const after = changedAggregate(before, request, 0n);
      const conflict = zoneConflict(
        after,
        [...cells.aggregates.values()].filter(({ id }) => id !== before.id),
      );
      if (conflict !== undefined) throw FakeErrors.HOST_IN_OTHER_ZONE(conflict);
      cells.aggregates.set(after.id, after);
      return { aggregate: after };
    },
    deleteStoredAggregate: async (_ctx, { aggregateId }) => {
      cells.aggregates.delete(find(aggregateId).id);
      return {};
    },
  };
};

const groupHandlers = (cells: FakeCells): Partial<Handlers<ServerGroupStoreServiceDefinition>> => {
  const find = (id: string, projectId: string): ServerGroup => {
    const group = cells.groups.get(id);
    if (group === undefined || (projectId !== "" && group.projectId !== projectId))
      throw FakeErrors.SERVER_GROUP_NOT_FOUND({ group: id });
    return group;
  };
  return {
    createStoredServerGroup: async (_ctx, { serverGroup }) => {
      if (serverGroup) cells.groups.set(serverGroup.id, serverGroup);
      return { serverGroup, replayed: false };
    },
    getStoredServerGroup: async (_ctx, { serverGroupId, projectId }) => ({
      serverGroup: find(serverGroupId, projectId),
      memberHosts: [],
    }),
    listStoredServerGroups: async (_ctx, { projectId }) => ({
      serverGroups: [...cells.groups.values()].filter(
        (group) => projectId === "" || group.projectId === projectId,
      ),
      nextPageToken: "",
    }),
    deleteStoredServerGroup: async (_ctx, { serverGroupId, projectId }) => {
      cells.groups.delete(find(serverGroupId, projectId).id);
      return {};
    },
  };
};

const globalHandlers = (cells: FakeCells): Partial<Handlers<GlobalServiceDefinition>> => ({
  listCells: async () => ({ cells: cells.cells.map((name) => ({ name, uuid: name, disabled: false })) }),
  getInstanceMappings: async (_ctx, { serverIds, databases, projectId }) => ({
    mappings: [...cells.mappings.values()].filter((one) =>
      serverIds.length > 0
        ? serverIds.includes(one.serverId)
        : databases.includes(one.database) && (projectId === "" || one.projectId === projectId),
    ),
  }),
  getQuota: async () => ({
    limits: [...cells.limits].map(([resource, limit]) => ({ resource, limit, used: 0n })),
  }),
  acceptServers: async (_ctx, request) => {
    const operations: Operation[] = request.servers.map(({ serverId }) =>
      acceptOperation(cells, serverId, "server.boot"),
    );
    const servers = request.servers.map(({ server, serverId }) =>
      cells.change("global", { ...server, id: serverId }, "created"),
    );
    return { servers, operations, replayed: false };
  },
  createStoredFlavor: async (_ctx, { flavor }) => {
    if (flavor) cells.flavors.set(flavor.id, flavor);
    return { flavor };
  },
  getStoredFlavor: async (_ctx, { flavorId, projectId, seeAll }) => {
    const flavor = [...cells.flavors.values()].find((one) => one.id === flavorId || one.name === flavorId);
    if (flavor === undefined || !(seeAll || flavor.isPublic || flavor.projectIds.includes(projectId)))
      throw FakeErrors.FLAVOR_NOT_FOUND({ flavor: flavorId });
    return { flavor };
  },
  listStoredFlavors: async () => ({ flavors: [...cells.flavors.values()], nextPageToken: "" }),
  updateStoredFlavor: async (_ctx, request) => {
    const flavor = cells.flavors.get(request.flavor?.id ?? "");
    if (flavor === undefined) throw FakeErrors.FLAVOR_NOT_FOUND({ flavor: request.flavor?.id ?? "" });
    const next = {
      ...flavor,
      extraSpecs: new Map([...flavor.extraSpecs, ...request.setExtraSpecs]),
      projectIds: [...flavor.projectIds, ...request.addProjects],
    };
    cells.flavors.set(next.id, next);
    return { flavor: next };
  },
  deleteStoredFlavor: async (_ctx, { flavorId }) => {
    cells.flavors.delete(flavorId);
    return {};
  },
  createStoredKeyPair: async (_ctx, { keyPair }) => {
    if (keyPair) cells.keyPairs.push(keyPair);
    return { keyPair };
  },
  getStoredKeyPair: async (_ctx, { userId, name }) => {
    const keyPair = cells.keyPairs.find((one) => one.userId === userId && one.name === name);
    if (keyPair === undefined) throw FakeErrors.KEY_PAIR_NOT_FOUND({ name });
    return { keyPair };
  },
  deleteStoredKeyPair: async (_ctx, { userId, name }) => {
    const at = cells.keyPairs.findIndex((one) => one.userId === userId && one.name === name);
    if (at < 0) throw FakeErrors.KEY_PAIR_NOT_FOUND({ name });
    cells.keyPairs.splice(at, 1);
    return {};
  },
  listStoredKeyPairs: async (_ctx, { userId }) => ({
    keyPairs: cells.keyPairs.filter((one) => one.userId === userId),
    nextPageToken: "",
  }),
});

function acceptOperation(cells: FakeCells, serverId: string, kind: string): Operation {
  const stored = StoredOperation.fromPartial({
    name: operationName(serverId, crypto.randomUUID()),
    kind,
    serverId,
    projectId: cells.mappings.get(serverId)?.projectId ?? "p1",
    state: OperationState.OPERATION_STATE_RUNNING,
  });
  cells.operations.set(stored.name, stored);
  return presentOperation(stored);
}

function recordOf(cells: FakeCells, database: string, serverId: string, projectId: string): Server {
  const server = cells.records.get(database)?.get(serverId)?.server;
  if (server === undefined)
    throw cells.mappings.has(serverId)
      ? FakeErrors.SERVER_MOVED({ server: serverId })
      : FakeErrors.SERVER_NOT_FOUND({ server: serverId });
  if (projectId !== "" && server.projectId !== projectId)
    throw FakeErrors.SERVER_NOT_FOUND({ server: serverId });
  return server;
}

const instanceHandlers = (cells: FakeCells): Partial<Handlers<InstancesServiceDefinition>> => ({
  clearServerPassword: async (_ctx, { database, serverId, projectId }) => {
    recordOf(cells, database, serverId, projectId);
    const record = cells.records.get(database)?.get(serverId);
    if (record) record.serverPassword = "";
    return {};
  },
  getInstance: async (_ctx, { database, serverId, projectId }) => {
    recordOf(cells, database, serverId, projectId);
    return { instance: cells.records.get(database)?.get(serverId) };
  },
  listInstances: async (_ctx, { database, filter, projectId, sort, pageSize, after }) => {
    const all = [...(cells.records.get(database)?.values() ?? [])]
      .flatMap(({ server }) => (server === undefined ? [] : [server]))
      .filter(
        (server) =>
          (projectId === "" || server.projectId === projectId) &&
          (filter === undefined || filter.ids.length === 0 || filter.ids.includes(server.id)),
      )
      .map((server) => ({ server, sortValues: sort.map(({ field }) => sortValue(server, field)) }))
      .sort((a, b) => compare(a.sortValues, b.sortValues, sort));
    const rest = after.length === 0 ? all : all.filter((one) => compare(one.sortValues, after, sort) > 0);
    const rows = rest.slice(0, pageSize).map(({ server, sortValues }) => ({
      sortValues,
      serverId: server.id,
      generation: server.generation,
      server: Buffer.from(Server.encode(server).finish()),
    }));
    return { rows, more: rest.length > rows.length };
  },
  updateInstance: async (_ctx, request) => {
    const before = recordOf(cells, request.database, request.server?.id ?? "", request.projectId);
    if (request.conditions !== undefined) checkAcceptable(before, askedOf(request.conditions));
    const record = {
      ...cells.records.get(request.database)?.get(before.id),
      server: before,
    } as InstanceRecord;
    const after = applyUserChange(record, request, systemClock.now());
    const changed = after !== record;
    const server = changed ? cells.change(request.database, after.server ?? before) : before;
    return { instance: { ...after, server }, changed };
  },
  getAction: async (_ctx, { requestId }) => ({ action: cells.actions.get(requestId) }),
  listActions: async (_ctx, { query }) => ({
    actions: [...cells.actions.values()].filter((one) => one.serverId === query?.serverId),
    nextPageToken: "",
  }),
  countInstances: async (_ctx, { database, host }) => ({
    instances: [...(cells.records.get(database)?.values() ?? [])].filter(
      ({ server }) => host === "" || server?.hostInfo?.host === host,
    ).length,
  }),
  acceptOperation: async (_ctx, request) => {
    recordOf(cells, request.database, request.serverId, request.projectId);
    return { operation: acceptOperation(cells, request.serverId, request.kind), replayed: false };
  },
});

/** Null sorts first, as in the real thing. */
function sortValue(server: Server, field: string): string {
  switch (field) {
    case "created_at":
      return `\u0001${(server.createdAt === undefined ? 0n : fromTimestamp(server.createdAt)).toString().padStart(20, "0")}`;
    case "display_name":
      return `\u0001${server.name}`;
    case "key_name":
      return server.keyName === "" ? "\u0000n" : `\u0001${server.keyName}`;
    default:
      return `\u0001${server.id}`;
  }
}

function compare(a: readonly string[], b: readonly string[], sort: readonly SortKey[]): number {
  const at = a.findIndex((value, i) => value !== b[i]);
  const order = at < 0 ? 0 : compareBytes(a[at] ?? "", b[at] ?? "");
  return sort[at]?.direction === SortDirection.SORT_DIRECTION_DESC ? -order : order;
}

const hostHandlers = (cells: FakeCells): Partial<Handlers<HostsServiceDefinition>> => ({
  listHosts: async (_ctx, { cell, servicesOnly }) => ({
    services: cells.services.get(cell) ?? [],
    nodes: servicesOnly ? [] : (cells.nodes.get(cell) ?? []),
  }),
  deleteHostService: async (_ctx, { cell, serviceId }) => {
    cells.services.set(
      cell,
      (cells.services.get(cell) ?? []).filter((one) => one.id !== serviceId),
    );
    return {};
  },
  updateHostService: async (_ctx, { cell, serviceId, disabled, disabledReason, forcedDown }) => {
    const service = cells.services.get(cell)?.find((one) => one.id === serviceId);
    if (service === undefined) throw FakeErrors.SERVER_NOT_FOUND({ server: serviceId });
    if (disabled !== undefined) service.disabled = disabled;
    if (disabledReason !== undefined) service.disabledReason = disabledReason;
    if (forcedDown !== undefined) service.forcedDown = forcedDown;
    return { service };
  },
});

const operationHandlers = (cells: FakeCells): Partial<Handlers<OperationStoreServiceDefinition>> => ({
  getStoredOperation: async (_ctx, { name }) => {
    const operation = cells.operations.get(name);
    if (operation === undefined) throw FakeErrors.OPERATION_NOT_FOUND({ operation: name });
    return { operation };
  },
  listStoredOperations: async (_ctx, { serverId }) => ({
    operations: [...cells.operations.values()].filter((one) => one.serverId === serverId),
    nextPageToken: "",
  }),
  requestCancel: async (_ctx, { name }) => ({ operation: cells.operations.get(name) }),
});
