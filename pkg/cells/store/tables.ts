import { FairSlots, recordOf } from "../../kernel/index.js";
import { CostlyReads } from "./costly-reads.js";
import type { CostlyAccess } from "./costly-reads.js";
import { NumberBlocks } from "./number-blocks.js";
import { RecentRows } from "./recent-rows.js";
import type { DormantRow, JoinedRow } from "./rows.js";
import { sql } from "./sql.js";
import { Tidings } from "./tidings.js";
import type { Kysely } from "kysely";
import type { Sql } from "./sql.js";
import type { Database } from "../../platform/db/index.js";
import type { FeedTables } from "../../platform/db/feed/index.js";

const NAMES = [
  "instance",
  "operation",
  "operation_signal",
  "operation_subject",
  "client_token",
  "instance_action",
  "instance_action_event",
  "dormant_operation",
  "travelling_row",
  "kept_server",
  "block_device",
  "migration",
  "operation_void",
  "cell",
  "instance_mapping",
  "quota_limit",
  "quota_usage",
  "quota_holding",
  "quota_claim",
  "flavor",
  "key_pair",
  "counter",
  "service",
  "compute_node",
  "host_telemetry",
  "host_mapping",
  "outbox",
  "server_group",
  "server_group_member",
  "aggregate",
  "console_token",
  "task_log",
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
  /** Reads whose cost is what a user wrote. */
  readonly costly: CostlyReads;
  /** Tells that a statement of its own, outside a `write`, has added to the outbox. */
  readonly changed: () => void;
  /** Operations with their instances. */
  readonly recent: RecentRows<JoinedRow>;
  /** Dormant copies that this process has prepared. */
  readonly prepared: RecentRows<DormantRow>;
  /** Told of each server that this process has woken here. */
  readonly awoken: Tidings;
  /** Numbers of migrations as REST shows them. */
  readonly migrationNumbers: NumberBlocks;
}

const alone = (database: Database<Schema>): CostlyAccess => ({
  database,
  slots: new FairSlots({ slots: 4, perKey: 2, queuePerKey: 32 }),
  timeoutMs: 2_000,
  waitMs: 3_000,
});

/**
 * A database under its public name.
 * @param changed  wakes the sequencer of its feed
 * @param costly   where its costly reads run; by default on the same connections
 */
export function openStore(
  name: string,
  db: Database<Schema>,
  changed: () => void = () => {},
  costly: CostlyAccess = alone(db),
): Store {
  const t: Tables = recordOf(NAMES, (table) => sql.table(`${db.schema}.${table}`));
  return {
    name,
    db,
    t,
    changed,
    costly: new CostlyReads(costly),
    recent: new RecentRows(),
    prepared: new RecentRows(),
    awoken: new Tidings(),
    migrationNumbers: new NumberBlocks({ db, t }, "migration"),
  };
}
