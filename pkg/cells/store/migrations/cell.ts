import type { Migration } from "../../../platform/db/index.js";
import { feedMigration } from "../../../platform/db/feed/index.js";
import { laneStatements } from "./lanes.js";
import { moveStatements, travellingRowStatements } from "./moves.js";
import { operationListStatements } from "./operation-lists.js";
import { progressStatements } from "./progress.js";
import { otherFields, serverRecordStatements } from "./server-records.js";
import { resizedStatements } from "./resized.js";
import { retentionStatements, taskLogStatements } from "./retention.js";
import { serverRowStatements } from "./server-rows.js";
import { shelvedStatements } from "./shelved.js";
import { softDeletedStatements } from "./soft-deleted.js";
import { subjectStatements } from "./subjects.js";

/** History of a cell's database, cell0 included. */
export const cellMigrations: readonly Migration[] = [
  { name: "0001-server-records", statements: serverRecordStatements },
  {
    name: "0002-hosts",
    statements: [
      `CREATE TABLE counter (name text PRIMARY KEY, value int8 NOT NULL)`,
      `INSERT INTO counter (name, value) VALUES ('service', 0), ('compute_node', 0), ('instance', 0) ON CONFLICT DO NOTHING`,
      `CREATE TABLE service (
        id text PRIMARY KEY,
        number int8 NOT NULL,
        "binary" text NOT NULL,
        host text NOT NULL,
        availability_zone text NOT NULL,
        disabled bool NOT NULL,
        disabled_reason text NOT NULL,
        forced_down bool NOT NULL,
        epoch int8 NOT NULL,
        address text NOT NULL,
        generation int8 NOT NULL,
        updated_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        CONSTRAINT service_once UNIQUE (host, "binary")
      )`,
      `CREATE TABLE compute_node (
        id text PRIMARY KEY,
        number int8 NOT NULL,
        host text NOT NULL CONSTRAINT compute_node_host_once UNIQUE,
        generation int8 NOT NULL,
        body bytea NOT NULL
      )`,
    ],
  },
  feedMigration("0003-feed"),
  {
    // What changes all the time on a host. No feed reads it, so a fleet at rest writes no outbox.
    name: "0004-host-telemetry",
    statements: [
      `CREATE TABLE host_telemetry (
        host text PRIMARY KEY,
        seen_at timestamptz NOT NULL,
        uptime text NOT NULL,
        disk_free_gib int8 NOT NULL
      )`,
    ],
  },
  { name: "0005-other-fields", statements: otherFields("operation", "service") },
  { name: "0006-lanes", statements: laneStatements },
  { name: "0007-operation-lists", statements: operationListStatements },
  { name: "0008-subjects", statements: subjectStatements },
  { name: "0009-moves", statements: moveStatements },
  { name: "0010-progress", statements: progressStatements },
  { name: "0011-server-rows", statements: serverRowStatements },
  {
    name: "0012-dormant-by-age",
    statements: [`CREATE INDEX dormant_operation_by_age ON dormant_operation (created_at)`],
  },
  { name: "0013-travelling-rows", statements: travellingRowStatements },
  { name: "0015-soft-deleted", statements: softDeletedStatements },
  { name: "0019-retention", statements: [...retentionStatements, ...taskLogStatements] },
  { name: "0020-shelved", statements: shelvedStatements },
  { name: "0021-resized", statements: resizedStatements },
];
