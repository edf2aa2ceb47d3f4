import type { InstanceAction } from "../../../../gen/kilonova/api/v1/limits_service.js";
import type { ServerGroup } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import { AggregateStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import { ConsoleTokenServiceDefinition } from "../../../../gen/kilonova/cells/v1/console_tokens_service.js";
import { FeedServiceDefinition } from "../../../../gen/kilonova/cells/v1/feed_service.js";
import { GlobalServiceDefinition } from "../../../../gen/kilonova/cells/v1/global_service.js";
import { HostsServiceDefinition } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { ComputeNode, HostService } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { InstancesServiceDefinition } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { OperationStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { BlockDeviceRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { ServerRecordsServiceDefinition } from "../../../../gen/kilonova/cells/v1/server_records_service.js";
import { ServerGroupStoreServiceDefinition } from "../../../../gen/kilonova/cells/v1/server_groups_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { Ids } from "../../../kernel/ids.js";
import type { Clock } from "../../../kernel/time.js";
import { catalogue } from "../../../model/operation-catalogue.js";
import type { OperationCatalogue } from "../../../model/operation-catalogue.js";
import { systemClock } from "../../../platform/process/clock.js";
import { systemIds } from "../../../platform/process/ids.js";
import { bindPart, bindService } from "../../../platform/rpc/index.js";
import type { ServiceBinding } from "../../../platform/rpc/index.js";
import { cellsConfig, defaultLimitsOf } from "../../config.js";
import { CellsErrors } from "../../errors.js";
import { feedHandlers } from "../../feed/rpc/feed.js";
import { agentsOwn } from "../../hosts/rpc/agents-own.js";
import type { OperationCheck } from "../../hosts/rpc/agents-own.js";
import { nodeChanged, serviceChanged } from "../../hosts/store/hosts.js";
import { toStored } from "../../operations/domain/operation-rows.js";
import type { PlacementPort, Waker } from "../../ports.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { secretBox } from "../../store/secret-box.js";
import { aServer } from "../records.js";
import { aggregateHandlers } from "./aggregates.js";
import { catalogueHandlers } from "./catalogue.js";
import { consoleTokenHandlers } from "./console-tokens.js";
import { entryOf } from "./database.js";
import type { TwinFeed } from "./feed.js";
import { globalHandlers } from "./global.js";
import { groupHandlers, join } from "./groups.js";
import { hostHandlers } from "./hosts.js";
import { operationHandlers } from "./operations.js";
import { actionEntry, nodeRow, operationRow, serviceRow } from "./seed-rows.js";
import { serverRecordsHandlers } from "./server-records.js";
import { serverHandlers } from "./servers.js";
import { TwinState } from "./state.js";
import { Witness } from "./witness.js";
import { operationWorksOn } from "./works-on.js";

/** What a case wants otherwise. */
export interface TwinOptions {
  /** Names of the cells, cell0 included. */
  readonly cells?: readonly string[];
  readonly clock?: Clock;
  readonly ids?: Ids;
  readonly operations?: OperationCatalogue;
  /** Limits by resource; those of the default configuration unless told. */
  readonly limits?: Readonly<Record<string, number>>;
  /** How long deleted servers are kept, in seconds; 0, the default: not at all. */
  readonly reclaimIntervalS?: number;
  readonly placement?: PlacementPort;
  readonly waker?: Waker;
}

const silentPlacement: PlacementPort = {
  syncProviderTree: async () => ({ root: undefined }),
  deleteProvider: async () => ({}),
};

/**
 * The cells service in memory, for tests: the same contract through the same bindings, decided by the same
 * rules, without SQL. `test/conformance` holds both to one table of scenarios. Hand-overs are not served.
 *
 * What a test puts in by itself passes all rules; what it changes by calls is told on the feeds.
 */
export class CellsTwin extends TwinState {
  readonly bindings: readonly ServiceBinding[];
  /** Hosts whose services hold their lease. */
  readonly alive = new Set<string>();
  readonly #witness = new Witness();

  constructor({
    cells = ["cell0", "cell1", "cell2"],
    clock = systemClock,
    ids = systemIds,
    operations = catalogue,
    limits = defaultLimitsOf(cellsConfig.parse({})),
    reclaimIntervalS = 0,
    placement = silentPlacement,
    waker = { wake: () => {} },
  }: TwinOptions = {}) {
    const box = secretBox([{ id: "twin", key: Buffer.alloc(32, 7) }]);
    super({ clock, ids, box, operations, reclaimIntervalS }, cells, limits);
    const liveness = { isAlive: (_binary: string, host: string): boolean => this.alive.has(host) };
    const worksThere: OperationCheck = async (_ctx, cell, operation, host) => {
      if (!operationWorksOn(this.cell(cell), operation, host))
        throw CellsErrors.WRONG_OPERATION({ operation });
    };
    this.bindings = [
      bindService(GlobalServiceDefinition, { ...globalHandlers(this, waker), ...catalogueHandlers(this) }),
      bindService(AggregateStoreServiceDefinition, aggregateHandlers(this)),
      bindService(ConsoleTokenServiceDefinition, consoleTokenHandlers(this)),
      bindService(ServerGroupStoreServiceDefinition, groupHandlers(this)),
      bindService(InstancesServiceDefinition, serverHandlers(this, waker)),
      bindService(ServerRecordsServiceDefinition, serverRecordsHandlers(this)),
      bindService(HostsServiceDefinition, hostHandlers(this, { waker, placement, liveness })),
      bindPart(OperationStoreServiceDefinition, operationHandlers(this, waker)),
      bindService(
        FeedServiceDefinition,
        feedHandlers((database) => this.feed(database)),
      ),
    ].map((binding) => this.#witness.watching(agentsOwn(binding, worksThere)));
  }

  /** Databases that never answer. */
  get silent(): Set<string> {
    return this.#witness.silent;
  }

  /** Names of the unary calls received, with their database where they have one. */
  get calls(): string[] {
    return this.#witness.calls;
  }

  /** Last request of each method. */
  get requests(): ReadonlyMap<string, unknown> {
    return this.#witness.requests;
  }

  feed(database: string): TwinFeed {
    return this.database(database).feed;
  }

  get feeds(): readonly TwinFeed[] {
    return [...this.databases.values()].map(({ feed }) => feed);
  }

  /** The record of a server, where it is. */
  record(database: string, serverId: string): InstanceRecord {
    const entry = this.database(database).instances.get(serverId);
    if (entry === undefined) throw new Error(`no server ${serverId} in ${database}`);
    return loadRecord(entry);
  }

  /**
   * Puts a server into a database, and its mapping, with fields that matter to the case: otherwise it is of
   * user u1 and project p1, and ACTIVE.
   */
  put(
    database: string,
    init: Partial<Server> & { readonly id: string },
    record: Partial<Omit<InstanceRecord, "server">> = {},
  ): Server {
    const { createdAt } = aServer(init);
    const server = aServer({ projectId: "p1", userId: "u1", updatedAt: createdAt, ...init });
    for (const { instances } of this.databases.values()) instances.delete(server.id);
    const full = InstanceRecord.fromPartial({ ...record, server });
    this.database(database).instances.set(server.id, entryOf(full));
    this.mappings.set(server.id, {
      serverId: server.id,
      database,
      projectId: server.projectId,
      userId: server.userId,
      deleted: false,
      createdAt: server.createdAt,
    });
    return serverOf(full);
  }

  /** Puts a server and tells it on the feed. */
  change(
    database: string,
    init: Partial<Server> & { readonly id: string },
    eventType: "created" | "changed" | "deleted" = "changed",
  ): Server {
    const server = this.put(database, init);
    this.feed(database).instance(server, eventType);
    return server;
  }

  /** Puts a server's block devices as they are. */
  putDevices(cell: string, serverId: string, devices: readonly Partial<BlockDeviceRecord>[]): void {
    const rows = devices.map((one) => BlockDeviceRecord.fromPartial({ serverId, ...one }));
    this.cell(cell).devices.set(serverId, rows);
  }

  /** Puts an operation as it is. */
  putOperation(database: string, operation: StoredOperation): void {
    const row = operationRow(operation, this.deps.clock.now());
    const where = this.database(database);
    where.operations.set(row.id, row);
    if (row.subject !== "server") where.subjects.set(row.server_id, row.fence);
  }

  /** An operation as it is stored. */
  operation(database: string, name: string): StoredOperation {
    return toStored(this.database(database).operation(name));
  }

  /** Puts a migration as it is. */
  putMigration(cell: string, migration: MigrationRecord): void {
    this.cell(cell).migrations.set(migration.id, migration);
  }

  putAction(database: string, action: InstanceAction): void {
    this.database(database).timeline.put(actionEntry(action, this.deps.clock.now()));
  }

  /** Replaces a cell's services; those that are `up` hold their lease. */
  setServices(cell: string, services: readonly HostService[]): void {
    const database = this.cell(cell);
    database.services.clear();
    for (const service of services) {
      database.services.set(service.id, serviceRow(service, this.deps.clock.now()));
      if (service.up) this.alive.add(service.host);
      else this.alive.delete(service.host);
    }
  }

  /** Replaces a cell's compute nodes, as they told of themselves. */
  setNodes(cell: string, nodes: readonly ComputeNode[]): void {
    const database = this.cell(cell);
    database.nodes.clear();
    for (const node of nodes) {
      database.nodes.set(node.host, nodeRow(node));
      database.telemetry.set(node.host, {
        seen_at: this.deps.clock.now(),
        uptime: node.uptime,
        disk_free_gib: Number(node.diskAvailableLeastGib),
      });
    }
  }

  /** Puts a host beside those that are there and tells of it on the feed; its lease holds. */
  addHost(cell: string, service: HostService, node: ComputeNode): void {
    const database = this.cell(cell);
    const rows = { service: serviceRow(service, this.deps.clock.now()), node: nodeRow(node) };
    database.services.set(service.id, rows.service);
    database.nodes.set(node.host, rows.node);
    this.alive.add(service.host);
    database.tell([nodeChanged(rows.node, "created"), serviceChanged(rows.service, "created")]);
  }

  /** Puts a group with its members. */
  putGroup(group: ServerGroup): void {
    const now = this.deps.clock.now();
    this.groups.set(group.id, { group, createdAt: now });
    join(this, group.id, group.memberIds, now);
  }

  /** Forgets everything but limits, feeds and who is alive. */
  clear(): void {
    for (const database of this.databases.values()) database.clear();
    for (const all of [
      this.mappings,
      this.holdings,
      this.claims,
      this.flavors,
      this.aggregates,
      this.groups,
      this.members,
      this.consoleTokens,
      this.generations,
    ])
      all.clear();
    this.keyPairs.length = 0;
  }
}
