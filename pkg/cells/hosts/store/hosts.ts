import { sql } from "../../store/sql.js";
import { ComputeNode, HostService } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  ListHostsRequest,
  RegisterHostRequest,
  UpdateHostServiceRequest,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { encoded } from "../../domain/bytes.js";
import {
  announcedService,
  changedService,
  recorded,
  registeredNode,
  registeredService,
  seenService,
  telemetryIn,
  toHostService,
  withUse,
} from "../domain/host-records.js";
import type { NodeRow, ServiceRow, TelemetryColumns, UseRow } from "../domain/host-records.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { telemetryPart } from "./host-telemetry.js";
import { endHostOperations } from "../../operations/store/end-host-operations.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { Store, Tx } from "../../store/tables.js";
import { NEED_HOSTS } from "../../../model/migration-states.js";
import { COMPUTE_BINARY } from "../../../model/service-names.js";

export const serviceChanged = (row: ServiceRow, eventType: OutboxRow["eventType"]): OutboxRow => ({
  entityKind: "service",
  entityId: row.id,
  projectId: "",
  generation: row.generation,
  eventType,
  payload: encoded(HostService, toHostService(row)),
});
export const nodeChanged = (row: NodeRow, eventType: OutboxRow["eventType"]): OutboxRow => ({
  entityKind: "compute_node",
  entityId: row.id,
  projectId: "",
  generation: row.generation,
  eventType,
  payload: row.body,
});

async function nextNumber(store: Store, tx: Tx, counter: string): Promise<number> {
  const { rows } = await sql<{
    value: number;
  }>`UPDATE ${store.t.counter} SET value = value + 1 WHERE name = ${counter} RETURNING value`.execute(tx);
  return rows[0]?.value ?? 0;
}

async function findService(
  store: Store,
  tx: Tx,
  host: string,
  binary: string,
): Promise<ServiceRow | undefined> {
  const { rows } =
    await sql<ServiceRow>`SELECT * FROM ${store.t.service} WHERE host = ${host} AND "binary" = ${binary} FOR UPDATE`.execute(
      tx,
    );
  return rows[0];
}

const insertOrUpdate = (store: Store, row: ServiceRow, known: boolean): Part => {
  const { id, ...rest } = row;
  return {
    name: "service",
    body: known
      ? sql`UPDATE ${store.t.service} SET ${assignments(rest)} WHERE id = ${id}`
      : insertInto(store.t.service, [{ ...row }]),
  };
};

/** A registered host: what is stored now and what was before. */
export interface RegisteredHost {
  readonly service: HostService;
  /** Of the service's record. */
  readonly generation: number;
  readonly node: ComputeNode;
  readonly nodeBefore: ComputeNode | undefined;
}

/**
 * Stores what an agent says of its host, and mints the epoch of a new process. Generations move, and feeds
 * tell, only when something of the record has changed.
 * @throws STALE_EPOCH when a newer process of the host has registered
 */
export async function registerHost(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: RegisterHostRequest,
): Promise<RegisteredHost> {
  const said = request.service ?? HostService.fromPartial({});
  const node = request.node ?? ComputeNode.fromPartial({});
  return store.db.write(ctx, "hosts.register", async (tx) => {
    const now = deps.clock.now();
    const before = await findService(store, tx, said.host, said.binary);
    const { row, same } = registeredService(before, said, {
      epoch: request.epoch,
      id: before?.id ?? deps.ids.uuid(),
      number: before?.number ?? (await nextNumber(store, tx, "service")),
      now,
    });
    const { rows } =
      await sql<NodeRow>`SELECT * FROM ${store.t.compute_node} WHERE host = ${said.host}`.execute(tx);
    const old = rows[0];
    const number = old?.number ?? (await nextNumber(store, tx, "compute_node"));
    const { row: nodeRow, node: stored, changed } = registeredNode(old, node, said.host, number);
    const events = [
      ...(same ? [] : [serviceChanged(row, before === undefined ? "created" : "changed")]),
      ...(changed ? [nodeChanged(nodeRow, old === undefined ? "created" : "changed")] : []),
    ];
    const parts: Part[] = [telemetryPart(store.t, said.host, request.telemetry ?? telemetryIn(node), now)];
    if (!same) parts.push(insertOrUpdate(store, row, before !== undefined));
    if (changed)
      parts.push({
        name: "node",
        body:
          old === undefined
            ? insertInto(store.t.compute_node, [{ ...nodeRow }])
            : sql`UPDATE ${store.t.compute_node} SET generation = ${nodeRow.generation}, body = ${nodeRow.body} WHERE id = ${old.id}`,
      });
    if (events.length > 0) parts.push(outboxPart(store.t, deps.ids, events, now));
    await allTogether(parts).execute(tx);
    return {
      service: toHostService(row),
      generation: row.generation,
      node: stored,
      nodeBefore: old === undefined ? undefined : ComputeNode.decode(old.body),
    };
  });
}

/** Stores a service process that is no agent. Repeatable. */
export async function registerService(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  said: HostService,
): Promise<HostService> {
  return store.db.write(ctx, "services.register", async (tx) => {
    const now = deps.clock.now();
    const before = await findService(store, tx, said.host, said.binary);
    const row = announcedService(before, said, {
      id: before?.id ?? deps.ids.uuid(),
      number: before?.number ?? (await nextNumber(store, tx, "service")),
      now,
    });
    await allTogether([
      insertOrUpdate(store, row, before !== undefined),
      outboxPart(store.t, deps.ids, [serviceChanged(row, before === undefined ? "created" : "changed")], now),
    ]).execute(tx);
    return toHostService(row);
  });
}

export type HostQuery = Omit<ListHostsRequest, "cell">;

/**
 * Services and compute nodes by number, with telemetry; what nodes use is summed over their instances.
 * @cost the nodes and a sum over the instances of all hosts asked for, unless the query says records only
 */
export async function listHosts(
  store: Store,
  ctx: Ctx,
  query: HostQuery,
): Promise<{ services: HostService[]; nodes: ComputeNode[] }> {
  const { t } = store;
  return store.db.read(ctx, "hosts.list", async (tx) => {
    const services = await sql<ServiceRow & Pick<TelemetryColumns, "seen_at">>`
      SELECT s.*, h.seen_at FROM ${t.service} AS s
      LEFT JOIN ${t.host_telemetry} AS h ON h.host = s.host AND s."binary" = 'nova-compute'
      WHERE (${query.host} = '' OR s.host = ${query.host}) AND (${query.binary} = '' OR s."binary" = ${query.binary})
      ORDER BY s.number`.execute(tx);
    return { services: services.rows.map(seenService), nodes: await listNodes(store, tx, query) };
  });
}

async function listNodes(store: Store, tx: Tx, query: HostQuery): Promise<ComputeNode[]> {
  if (query.servicesOnly) return [];
  const { t } = store;
  const { rows } = await sql<NodeRow & TelemetryColumns>`
    SELECT n.*, h.seen_at, h.uptime, h.disk_free_gib FROM ${t.compute_node} AS n
    LEFT JOIN ${t.host_telemetry} AS h ON h.host = n.host
    WHERE (${query.host} = '' OR n.host = ${query.host})
    AND (${query.computeNodeId} = '' OR n.id = ${query.computeNodeId} OR n.number::text = ${query.computeNodeId})
    ORDER BY n.number`.execute(tx);
  if (query.recordsOnly) return rows.map((row) => recorded(ComputeNode.decode(row.body)));
  const one = query.host !== "" || query.computeNodeId === "" ? query.host : rows[0]?.host;
  const used: ReadonlyMap<string, UseRow> = one === undefined ? new Map() : await usedByHost(store, tx, one);
  return rows.map((row) => ({
    ...withUse(ComputeNode.decode(row.body), used.get(row.host)),
    uptime: row.uptime ?? "",
    diskAvailableLeastGib: BigInt(row.disk_free_gib ?? 0),
  }));
}

/** @param host  "" for all */
async function usedByHost(store: Store, tx: Tx, host: string): Promise<ReadonlyMap<string, UseRow>> {
  const { rows } =
    await sql<UseRow>`SELECT host, sum(vcpus)::int8 AS vcpus, sum(memory_mib)::int8 AS memory, sum(root_gib + ephemeral_gib)::int8 AS disk, count(*) AS servers, count(task_state) AS busy
    FROM ${store.t.instance} WHERE host IS NOT NULL AND deleted_at IS NULL AND (${host} = '' OR host = ${host}) GROUP BY host`.execute(
      tx,
    );
  return new Map(rows.map((row) => [row.host, row]));
}

/** @throws SERVICE_NOT_FOUND */
export async function updateHostService(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: UpdateHostServiceRequest,
): Promise<{ service: HostService; node: ComputeNode | undefined }> {
  return store.db.write(ctx, "services.update", async (tx) => {
    const before = await lockService(store, tx, request.serviceId);
    const now = deps.clock.now();
    const row = changedService(before, request, now);
    await allTogether([
      insertOrUpdate(store, row, true),
      outboxPart(store.t, deps.ids, [serviceChanged(row, "changed")], now),
    ]).execute(tx);
    const { rows } =
      await sql<NodeRow>`SELECT * FROM ${store.t.compute_node} WHERE host = ${row.host}`.execute(tx);
    return {
      service: toHostService(row),
      node:
        row.binary === COMPUTE_BINARY && rows[0] !== undefined ? ComputeNode.decode(rows[0].body) : undefined,
    };
  });
}

async function lockService(store: Store, tx: Tx, id: string): Promise<ServiceRow> {
  const { rows } =
    await sql<ServiceRow>`SELECT * FROM ${store.t.service} WHERE id = ${id} FOR UPDATE`.execute(tx);
  const row = rows[0];
  if (row === undefined) throw CellsErrors.SERVICE_NOT_FOUND({ service: id });
  return row;
}

/** A service with what would be on its host without it. */
interface DeletableRow {
  readonly host: string;
  readonly binary: string;
  readonly node_id: string | null;
  readonly servers: number;
  readonly moves: number;
}

/**
 * The compute node that would go with a service.
 * @throws SERVICE_NOT_FOUND, SERVICE_HAS_INSTANCES, SERVICE_HAS_MIGRATIONS
 */
export async function deletableService(
  store: Store,
  ctx: Ctx,
  id: string,
): Promise<{ nodeId: string | undefined }> {
  return store.db.read(ctx, "services.deletable", async (tx) => {
    const { rows } = await sql<DeletableRow>`
      SELECT s.host, s."binary", n.id AS node_id, (SELECT count(*) FROM ${store.t.instance} AS i WHERE i.host = s.host AND i.deleted_at IS NULL) AS servers,
        (SELECT count(*) FROM ${store.t.migration} AS m WHERE (m.source_host = s.host OR m.target_host = s.host)
          AND m.status = ANY(${NEED_HOSTS}::text[]) AND m.deleted_at IS NULL) AS moves
      FROM ${store.t.service} AS s LEFT JOIN ${store.t.compute_node} AS n ON n.host = s.host AND s."binary" = 'nova-compute' WHERE s.id = ${id}`.execute(
      tx,
    );
    const row = rows[0];
    if (row === undefined) throw CellsErrors.SERVICE_NOT_FOUND({ service: id });
    if (row.binary === COMPUTE_BINARY && row.servers > 0)
      throw CellsErrors.SERVICE_HAS_INSTANCES({ host: row.host });
    if (row.binary === COMPUTE_BINARY && row.moves > 0)
      throw CellsErrors.SERVICE_HAS_MIGRATIONS({ host: row.host });
    return { nodeId: row.node_id ?? undefined };
  });
}

/** Removes a service and its compute node, and ends the operations of that host. @throws SERVICE_NOT_FOUND */
export async function deleteHostService(store: Store, deps: StoreDeps, ctx: Ctx, id: string): Promise<void> {
  const { t } = store;
  await store.db.write(ctx, "services.delete", async (tx) => {
    const row = await lockService(store, tx, id);
    const { rows } =
      await sql<NodeRow>`SELECT * FROM ${t.compute_node} WHERE host = ${row.host} AND ${row.binary} = 'nova-compute'`.execute(
        tx,
      );
    const node = rows[0];
    const now = deps.clock.now();
    const ended =
      node === undefined ? { parts: [], events: [] } : await endHostOperations(store, tx, node.id, now);
    const events = [
      ...ended.events,
      serviceChanged({ ...row, generation: row.generation + 1 }, "deleted"),
      ...(node === undefined ? [] : [nodeChanged({ ...node, generation: node.generation + 1 }, "deleted")]),
    ];
    await allTogether([
      ...ended.parts,
      { name: "service", body: sql`DELETE FROM ${t.service} WHERE id = ${id}` },
      ...(node === undefined
        ? []
        : [
            { name: "node", body: sql`DELETE FROM ${t.compute_node} WHERE id = ${node.id}` },
            { name: "telemetry", body: sql`DELETE FROM ${t.host_telemetry} WHERE host = ${node.host}` },
          ]),
      outboxPart(t, deps.ids, events, now),
    ]).execute(tx);
  });
}
