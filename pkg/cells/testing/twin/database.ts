import type { StoredSignal } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { BlockDeviceRecord, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Clock, Instant } from "../../../kernel/time.js";
import { CellsErrors } from "../../errors.js";
import type { NodeRow, ServiceRow } from "../../hosts/domain/host-records.js";
import { LIFE } from "../../operations/domain/lanes.js";
import { isLiveWord, joinRows, operationIdOf } from "../../operations/store/owned-operation.js";
import { instanceColumns, instanceIdentity } from "../../servers/domain/instance-columns.js";
import { serverOf } from "../../servers/domain/records.js";
import type { InstanceRow, JoinedRow, OperationRow } from "../../store/rows.js";
import type { WithProgress } from "../../servers/store/shown-progress.js";
import type { OutboxRow } from "../../store/outbox.js";
import { TwinFeed } from "./feed.js";
import { bytewise } from "./order.js";
import { Timeline } from "./timeline.js";

/** A row of `instance`. */
export interface InstanceEntry extends InstanceRow {
  readonly id: string;
  readonly project_id: string;
  readonly deleted: boolean;
  readonly report_number: number;
  /** What lists filter and sort by. */
  readonly columns: Readonly<Record<string, unknown>>;
}

/** What a row has beside the record. */
type Beside = Partial<
  Pick<InstanceEntry, "operation_fence" | "leaving_to" | "number" | "user_data" | "report_number">
>;

/** The row of a record. */
export function entryOf(record: InstanceRecord, beside: Beside = {}): InstanceEntry {
  const server = serverOf(record);
  const columns = { ...instanceIdentity(record), ...instanceColumns(record) };
  return {
    id: server.id,
    project_id: server.projectId,
    deleted: server.deletedAt !== undefined,
    report_number: beside.report_number ?? 0,
    generation: Number(server.generation),
    current_operation: server.currentOperation,
    operation_fence: beside.operation_fence ?? 0,
    leaving_to: beside.leaving_to ?? "",
    number: beside.number ?? Number(record.number),
    user_data: beside.user_data ?? null,
    server: columns.server,
    details: columns.details,
    columns,
  };
}

/** What stands beside an operation that is about no server. */
const NO_SERVER: Omit<InstanceRow, "operation_fence"> = {
  generation: 0,
  current_operation: "",
  leaving_to: "",
  number: 0,
  server: Buffer.alloc(0),
  details: Buffer.alloc(0),
  user_data: null,
};

/** A signal, consumed or not. */
export interface SignalRow extends StoredSignal {
  consumed: boolean;
}

/** What a host told last. */
export interface TelemetryRow {
  readonly seen_at: Instant;
  readonly uptime: string;
  readonly disk_free_gib: number;
}

/** One database: rows as SQL has them, and the feed that tells of their changes. */
export class TwinDatabase {
  readonly name: string;
  readonly instances = new Map<string, InstanceEntry>();
  /** How many servers hosts had, by host and period. */
  readonly taskLogs = new Map<string, number>();
  readonly operations = new Map<string, OperationRow>();
  /** Fences of subjects that are no servers. */
  readonly subjects = new Map<string, number>();
  /** By server, in the order in which it got them; ended ones too. */
  readonly devices = new Map<string, readonly BlockDeviceRecord[]>();
  /** By id; ended ones too. */
  readonly migrations = new Map<string, MigrationRecord>();
  /** By the operation's id, in the order in which they came. */
  readonly signals = new Map<string, SignalRow[]>();
  readonly tokens = new Map<string, { readonly bodyHash: Buffer; readonly made: readonly string[] }>();
  readonly timeline = new Timeline();
  readonly services = new Map<string, ServiceRow>();
  readonly nodes = new Map<string, NodeRow>();
  /** By host. */
  readonly telemetry = new Map<string, TelemetryRow>();
  readonly feed: TwinFeed;
  readonly #counters = new Map<string, number>();

  constructor(name: string, clock: Pick<Clock, "now">) {
    this.name = name;
    this.feed = new TwinFeed(name, clock);
  }

  /** The next number of a counter that never goes back. */
  next(counter: string): number {
    const value = (this.#counters.get(counter) ?? 0) + 1;
    this.#counters.set(counter, value);
    return value;
  }

  /** Lets a counter go on after a number that was given otherwise. */
  used(counter: string, value: number): void {
    this.#counters.set(counter, Math.max(value, this.#counters.get(counter) ?? 0));
  }

  tell(events: readonly OutboxRow[]): void {
    this.feed.tell(events);
  }

  /** Stores a record in the place of the one before. */
  store(record: InstanceRecord, before: InstanceEntry, beside: Beside = {}): InstanceEntry {
    const { operation_fence, leaving_to, number, user_data, report_number } = before;
    const entry = entryOf(record, {
      operation_fence,
      leaving_to,
      number,
      user_data,
      report_number,
      ...beside,
    });
    this.instances.set(entry.id, entry);
    return entry;
  }

  /** @throws OPERATION_NOT_FOUND */
  operation(name: string): OperationRow {
    const row = this.operations.get(operationIdOf(name));
    if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
    return row;
  }

  /** An operation with its holder; undefined when either is not here. */
  joined(name: string): JoinedRow | undefined {
    const row = this.operations.get(operationIdOf(name));
    const holder = row && this.holder(row);
    return holder && joinRows(row, holder);
  }

  /** The row that mints an operation's fences. */
  holder({ subject, server_id: id }: Pick<OperationRow, "subject" | "server_id">): InstanceRow | undefined {
    if (subject === "server") return this.instances.get(id);
    const fence = this.subjects.get(id);
    return fence === undefined ? undefined : { ...NO_SERVER, operation_fence: fence };
  }

  /** Mints fences of an operation's subject. @returns the last one */
  mint({ subject, server_id: id }: Pick<OperationRow, "subject" | "server_id">, count: number): number {
    const entry = subject === "server" ? this.instances.get(id) : undefined;
    const fence = (entry?.operation_fence ?? this.subjects.get(id) ?? 0) + count;
    if (entry === undefined) this.subjects.set(id, fence);
    else this.instances.set(id, { ...entry, operation_fence: fence });
    return fence;
  }

  /** The progress of the operation that owns a server. */
  progressOf({ current_operation: name }: InstanceEntry): WithProgress {
    const row = name === "" ? undefined : this.operations.get(operationIdOf(name));
    const runs = row?.state === "running" || row?.state === "parked";
    return { operation_progress: runs ? row.progress : null };
  }

  /** A host by the id of its compute node. */
  node(id: string): NodeRow | undefined {
    return [...this.nodes.values()].find((row) => row.id === id);
  }

  /** Whether a host is here, or was: its operations are. */
  knowsHost(id: string): boolean {
    return this.node(id) !== undefined || this.subjects.has(id);
  }

  /** Operations of a subject beside the lane "life" that have not ended, in the order of their queue. */
  liveBeside(subjectId: string): OperationRow[] {
    return [...this.operations.values()]
      .filter((row) => row.server_id === subjectId && row.lane !== LIFE && isLiveWord(row.state))
      .sort((a, b) => a.turn - b.turn);
  }

  /** Operations of a server that wait for an operator. */
  haltedOn(serverId: string): OperationRow[] {
    return [...this.operations.values()].filter(
      (row) => row.server_id === serverId && row.state === "needs-operator",
    );
  }

  /** These, and those that others took over from before, the newest first. */
  remainsOn(serverId: string): OperationRow[] {
    const earlier = [...this.operations.values()].filter(
      (row) => row.server_id === serverId && row.state === "preempted" && row.fence > 0,
    );
    return [...this.haltedOn(serverId), ...earlier.toSorted((a, b) => Number(b.created_at - a.created_at))];
  }

  /** Signals that nobody has consumed yet. */
  pendingSignals(operationId: string): StoredSignal[] {
    return (this.signals.get(operationId) ?? [])
      .filter(({ consumed }) => !consumed)
      .map(({ id, kind, payload }) => ({ id, kind, payload }));
  }

  /** Records on a host that are not deleted, by id. */
  onHost(host: string): InstanceEntry[] {
    return [...this.instances.values()]
      .filter((entry) => !entry.deleted && entry.columns["host"] === host)
      .sort((a, b) => bytewise(a.id, b.id));
  }

  clear(): void {
    for (const table of [
      this.instances,
      this.operations,
      this.subjects,
      this.devices,
      this.migrations,
      this.signals,
      this.tokens,
      this.services,
      this.nodes,
      this.telemetry,
    ])
      table.clear();
    this.timeline.clear();
    this.#counters.clear();
  }
}
