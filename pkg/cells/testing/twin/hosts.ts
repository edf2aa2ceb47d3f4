import type {
  HostsServiceDefinition,
  RegisterHostRequest,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import {
  ComputeNode,
  HostService,
  HostTelemetry,
  ReportCommandRequest,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { zonesOf } from "../../../model/aggregate-zone.js";
import { NEED_HOSTS, UNENDED } from "../../../model/migration-states.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";
import { AGENT_REPORT } from "../../../model/signals.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import {
  announcedService,
  changedService,
  registeredNode,
  registeredService,
  telemetryIn,
  toHostService,
} from "../../hosts/domain/host-records.js";
import type { NodeRow, ServiceRow } from "../../hosts/domain/host-records.js";
import { providerTree } from "../../hosts/domain/provider-tree.js";
import { nodeChanged, serviceChanged } from "../../hosts/store/hosts.js";
import { decreed, hostDeleted } from "../../operations/domain/decree.js";
import { operationIdOf } from "../../operations/store/owned-operation.js";
import { progressed } from "../../operations/store/progress.js";
import type { Liveness, PlacementPort, Waker } from "../../ports.js";
import { loadRecord } from "../../servers/domain/records.js";
import { ranIn, usagePeriod } from "../../hosts/domain/usage-period.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import { requireFew } from "../../servers/store/read-instances.js";
import type { InstanceEntry, TwinDatabase } from "./database.js";
import { reportGuest, reportLostPorts } from "./guest-reports.js";
import { listNodes, listServices } from "./list-hosts.js";
import { signal } from "./operations.js";
import { bytewise } from "./order.js";
import { ownHost } from "./works-on.js";
import type { TwinState } from "./state.js";

/** What stands around hosts' records. */
export interface HostPorts {
  readonly waker: Waker;
  readonly placement: PlacementPort;
  readonly liveness: Liveness;
}

/** Hosts: what agents report and what operators see. */
export function hostHandlers(
  twin: TwinState,
  { waker, placement, liveness }: HostPorts,
): Handlers<HostsServiceDefinition> {
  const alive = (service: HostService): HostService => ({
    ...service,
    up: !service.forcedDown && liveness.isAlive(service.binary, service.host),
  });
  return {
    registerHost: async (ctx, request) => {
      const binary = request.service?.binary ?? "";
      if (binary !== COMPUTE_BINARY) throw CellsErrors.WRONG_BINARY({ binary });
      const { service, node, before } = register(twin, twin.cell(request.cell), request);
      await placement.syncProviderTree(ctx, providerTree(node, service.disabled, before));
      return {
        epoch: BigInt(service.epoch),
        serviceId: service.id,
        computeNodeId: node.id,
        disabled: service.disabled,
        serviceGeneration: BigInt(service.generation),
      };
    },
    reportHost: async (_ctx, { cell, host, epoch, telemetry = HostTelemetry.fromPartial({}) }) => {
      const database = twin.cell(cell);
      const service = serviceOf(database, host, COMPUTE_BINARY);
      if (service === undefined || BigInt(service.epoch) !== epoch) return { serviceGeneration: 0n };
      keepTelemetry(twin, database, host, telemetry);
      return { serviceGeneration: BigInt(service.generation) };
    },
    reportCommand: async (ctx, request) => {
      const { operation, commandId, cell } = request;
      const payload = encoded(ReportCommandRequest, request);
      const report = { operation, id: `${AGENT_REPORT}/${commandId}`, kind: AGENT_REPORT, payload };
      if (signal(twin, twin.cell(cell), report, ctx.peer.service).woke) waker.wake(ctx, cell, operation);
      return {};
    },
    reportProgress: async (_ctx, request) => {
      const database = twin.cell(request.cell);
      const row = database.operations.get(operationIdOf(request.operation));
      const told = row && { ...row, own_host: ownHost(database, row) };
      const next = progressed(told, request, twin.deps.clock.now());
      if (next === undefined) return { kept: false };
      database.operations.set(next.id, next);
      database.tell([operationChanged(next)]);
      return { kept: true };
    },
    reportGuest: async (_ctx, request) => reportGuest(twin, twin.cell(request.cell), request),
    reportLostPorts: async (_ctx, request) => ({
      settled: reportLostPorts(twin, twin.cell(request.cell), request),
    }),
    listHostInstances: async (_ctx, { cell, host, pageToken }) => {
      const all = twin
        .cell(cell)
        .onHost(host)
        .filter(({ id }) => bytewise(id, pageToken) > 0);
      const page = all.slice(0, 500);
      return {
        // As SQL reads them: without user data.
        instances: page.map((row) => loadRecord({ ...row, user_data: null })),
        nextPageToken: page.length === 500 ? (page.at(-1)?.id ?? "") : "",
      };
    },
    recordUsageAudit: async (_ctx, request) => {
      const { cell, host } = request;
      const period = usagePeriod(request, twin.deps.clock.now());
      const { taskLogs, instances } = twin.cell(cell);
      const key = `${host} ${period.beginning} ${period.ending}`;
      const known = taskLogs.get(key);
      if (known !== undefined) return { taskItems: known, isNew: false };
      const taskItems = [...instances.values()].filter(({ columns }) =>
        ranIn(columns as unknown as Parameters<typeof ranIn>[0], host, period),
      ).length;
      taskLogs.set(key, taskItems);
      return { taskItems, isNew: true };
    },
    findDeletedInstances: async (_ctx, { cell, host, serverIds }) => {
      requireFew(serverIds);
      const { instances, migrations } = twin.cell(cell);
      const free = [...instances.values()].filter(
        (row) => serverIds.includes(row.id) && row.current_operation === "" && row.leaving_to === "",
      );
      const isMoving = (id: string): boolean =>
        [...migrations.values()].some(
          ({ serverId, status, source, target, deletedAt }) =>
            serverId === id &&
            deletedAt === undefined &&
            UNENDED.includes(status) &&
            [source?.host, target?.host].includes(host),
        );
      const fenced = ({ id, operation_fence }: InstanceEntry) => ({
        serverId: id,
        fence: BigInt(operation_fence),
      });
      return {
        deleted: free.filter(({ deleted }) => deleted).map(fenced),
        elsewhere: free
          .filter(({ deleted, columns, id }) => !deleted && columns["host"] !== host && !isMoving(id))
          .map(fenced),
      };
    },
    registerService: async (_ctx, { cell, service: said }) => {
      if (said === undefined) throw CellsErrors.SERVICE_NOT_FOUND({ service: "" });
      const database = twin.cell(cell);
      const before = serviceOf(database, said.host, said.binary);
      const row = announcedService(before, said, minted(twin, database, before));
      storeService(database, row, before === undefined ? "created" : "changed");
      return { service: alive(toHostService(row)) };
    },
    listHosts: async (_ctx, { cell, ...query }) => {
      const zones = zonesOf([...twin.aggregates.values()].sort((a, b) => Number(a.number - b.number)));
      return {
        services: listServices(twin.cell(cell), query).map((service) =>
          alive({
            ...service,
            availabilityZone:
              service.binary === COMPUTE_BINARY
                ? (zones.get(service.host) ?? service.availabilityZone)
                : service.availabilityZone,
          }),
        ),
        nodes: query.servicesOnly ? [] : listNodes(twin.cell(cell), query),
      };
    },
    updateHostService: async (ctx, request) => {
      const database = twin.cell(request.cell);
      const row = changedService(find(database, request.serviceId), request, twin.deps.clock.now());
      storeService(database, row, "changed");
      const node = row.binary === COMPUTE_BINARY ? database.nodes.get(row.host) : undefined;
      if (node !== undefined && request.disabled !== undefined) {
        const body = ComputeNode.decode(node.body);
        await placement.syncProviderTree(ctx, providerTree(body, row.disabled, body)).catch(() => undefined);
      }
      return { service: alive(toHostService(row)) };
    },
    deleteHostService: async (ctx, { cell, serviceId }) => {
      const database = twin.cell(cell);
      const row = find(database, serviceId);
      if (row.binary === COMPUTE_BINARY && database.onHost(row.host).length > 0)
        throw CellsErrors.SERVICE_HAS_INSTANCES({ host: row.host });
      if (row.binary === COMPUTE_BINARY && hasMoves(database, row.host))
        throw CellsErrors.SERVICE_HAS_MIGRATIONS({ host: row.host });
      const node = row.binary === COMPUTE_BINARY ? database.nodes.get(row.host) : undefined;
      if (node !== undefined) await placement.deleteProvider(ctx, { id: node.id });
      remove(twin, database, row, node);
      return {};
    },
  };
}

const serviceOf = ({ services }: TwinDatabase, host: string, binary: string): ServiceRow | undefined =>
  [...services.values()].find((one) => one.host === host && one.binary === binary);

const hasMoves = ({ migrations }: TwinDatabase, host: string): boolean =>
  [...migrations.values()].some(
    ({ source, target, status, deletedAt }) =>
      deletedAt === undefined &&
      NEED_HOSTS.includes(status) &&
      (source?.host === host || target?.host === host),
  );

function find({ services }: TwinDatabase, id: string): ServiceRow {
  const row = services.get(id);
  if (row === undefined) throw CellsErrors.SERVICE_NOT_FOUND({ service: id });
  return row;
}

const minted = (
  { deps }: TwinState,
  database: TwinDatabase,
  before: ServiceRow | undefined,
): Parameters<typeof announcedService>[2] => ({
  id: before?.id ?? deps.ids.uuid(),
  number: before?.number ?? database.next("service"),
  now: deps.clock.now(),
});

function storeService(database: TwinDatabase, row: ServiceRow, type: "created" | "changed"): void {
  database.services.set(row.id, row);
  database.tell([serviceChanged(row, type)]);
}

function keepTelemetry(
  { deps }: TwinState,
  { telemetry }: TwinDatabase,
  host: string,
  { uptime, diskFreeGib }: HostTelemetry,
): void {
  telemetry.set(host, { seen_at: deps.clock.now(), uptime, disk_free_gib: Number(diskFreeGib) });
}

function register(
  twin: TwinState,
  database: TwinDatabase,
  request: RegisterHostRequest,
): { service: ServiceRow; node: ComputeNode; before: ComputeNode | undefined } {
  const { service: said = HostService.fromPartial({}), node: saidNode = ComputeNode.fromPartial({}) } =
    request;
  const { host } = said;
  const before = serviceOf(database, host, said.binary);
  if (before === undefined || request.epoch === 0n || BigInt(before.epoch) === request.epoch)
    keepTelemetry(twin, database, host, request.telemetry ?? telemetryIn(saidNode));
  const { row, same } = registeredService(before, said, {
    ...minted(twin, database, before),
    epoch: request.epoch,
  });
  const old = database.nodes.get(host);
  const number = old?.number ?? database.next("compute_node");
  const { row: nodeRow, node, changed } = registeredNode(old, saidNode, host, number);
  if (!same) database.services.set(row.id, row);
  if (changed) database.nodes.set(host, nodeRow);
  database.tell([
    ...(same ? [] : [serviceChanged(row, before === undefined ? "created" : "changed")]),
    ...(changed ? [nodeChanged(nodeRow, old === undefined ? "created" : "changed")] : []),
  ]);
  return { service: row, node, before: old === undefined ? undefined : ComputeNode.decode(old.body) };
}

function remove(
  { deps }: TwinState,
  database: TwinDatabase,
  row: ServiceRow,
  node: NodeRow | undefined,
): void {
  database.services.delete(row.id);
  const events = [serviceChanged({ ...row, generation: row.generation + 1 }, "deleted")];
  if (node !== undefined) {
    const now = deps.clock.now();
    for (const one of [...database.liveBeside(node.id), ...database.haltedOn(node.id)]) {
      const ended = { ...one, ...decreed(one, hostDeleted(node.id), now) };
      database.operations.set(one.id, ended);
      database.tell([operationChanged(ended)]);
    }
    database.nodes.delete(node.host);
    database.telemetry.delete(node.host);
    events.push(nodeChanged({ ...node, generation: node.generation + 1 }, "deleted"));
  }
  database.tell(events);
}
