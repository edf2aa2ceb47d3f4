import { RecentRows } from "./recent-rows.js";
import type { JoinedRow } from "./owned-operation.js";
import { sql } from "./sql.js";
import type { Kysely } from "kysely";
import type { Sql } from "./sql.js";
import type { Instant } from "../../../kernel/time.js";
import type { Database } from "../../../platform/db/index.js";
import type { FeedTables } from "../../../platform/db/feed/index.js";

const NAMES = [
  "instance", "operation", "operation_signal", "client_token", "instance_action", "instance_action_event", "dormant_operation",
  "cell", "instance_mapping", "quota_limit", "quota_usage", "quota_holding", "flavor", "key_pair", "counter", "service", "compute_node", "outbox",
  "server_group", "server_group_member", "aggregate",
] as const;

/** Qualified table names for statements written out as SQL. */
export type Tables = Readonly<Record<(typeof NAMES)[number], Sql>>;

/** Statements here are written out; only the feed has typed tables. */
export type Schema = FeedTables;
export type Tx = Kysely<Schema>;

/** One database of the service: the global one or a cell's. */
export interface Store {
  /** "global", "cell0", "cell1", … as RPCs name it. */
  readonly name: string;
  readonly db: Database<Schema>;
  readonly t: Tables;
  /** Tells that a statement of its own, outside a `write`, has added to the outbox. */
  readonly changed: () => void;
  /** Operations with their instances. */
  readonly recent: RecentRows<JoinedRow>;
  /** Dormant copies that this process has prepared. */
  readonly prepared: RecentRows<DormantRow>;
}

/** A database under its public name. @param changed  wakes the sequencer of its feed */
export function openStore(name: string, db: Database<Schema>, changed: () => void = () => {}): Store {
  const t = Object.fromEntries(NAMES.map((table) => [table, sql.table(`${db.schema}.${table}`)])) as unknown as Tables;
  return { name, db, t, changed, recent: new RecentRows(), prepared: new RecentRows() };
}

/** A row of `operation`. */
export interface OperationRow {
  readonly id: string; readonly server_id: string; readonly project_id: string; readonly kind: string; readonly kind_version: number;
  readonly action: string; readonly request_id: string; readonly actor: Buffer; readonly traceparent: string; readonly input: Buffer;
  readonly secrets: Buffer | null; readonly state: string; readonly current_step: string; readonly undo_until: string; readonly steps: Buffer;
  readonly generation: number; readonly fence: number; readonly owner: string; readonly ready_at: Instant | null; readonly deadline: Instant | null;
  readonly waiting_for: string; readonly cancel_requested: boolean; readonly error: Buffer | null; readonly preempts: string;
  readonly preempted: Buffer | null; readonly handed_over_to: string; readonly created_at: Instant; readonly updated_at: Instant;
}

/** What operations need of a row of `instance`. */
export interface InstanceRow {
  readonly generation: number; readonly current_operation: string; readonly operation_fence: number; readonly leaving_to: string;
  readonly number: number; readonly server: Buffer; readonly details: Buffer; readonly user_data: Buffer | null;
}

/** A row of `dormant_operation`. */
export interface DormantRow {
  readonly operation_id: string; readonly server_id: string; readonly source_database: string; readonly source_fence: number; readonly operation: Buffer;
  readonly secrets: Buffer | null; readonly instance: Buffer; readonly user_data: Buffer | null; readonly activated: boolean; readonly created_at: Instant;
}
