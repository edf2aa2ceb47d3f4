import type { Migration } from "../../../platform/db/index.js";
import { feedMigration } from "../../../platform/db/feed/index.js";
import { laneStatements } from "./lanes.js";
import { operationListStatements } from "./operation-lists.js";
import { progressStatements } from "./progress.js";
import { otherFields, serverRecordStatements } from "./server-records.js";
import { resizedStatements } from "./resized.js";
import { retentionStatements } from "./retention.js";
import { serverRowStatements } from "./server-rows.js";
import { shelvedStatements } from "./shelved.js";
import { softDeletedStatements } from "./soft-deleted.js";
import { subjectStatements } from "./subjects.js";

/** History of the global database. */
export const globalMigrations: readonly Migration[] = [
  { name: "0001-server-records", statements: serverRecordStatements },
  {
    name: "0002-mappings-and-quota",
    statements: [
      `CREATE TABLE cell (name text PRIMARY KEY, uuid text NOT NULL, disabled bool NOT NULL DEFAULT false)`,
      `CREATE TABLE instance_mapping (
        server_id text PRIMARY KEY,
        database text NOT NULL,
        project_id text NOT NULL,
        user_id text NOT NULL,
        deleted bool NOT NULL DEFAULT false,
        created_at timestamptz NOT NULL
      )`,
      `CREATE TABLE quota_limit (
        project_id text NOT NULL,
        user_id text NOT NULL DEFAULT '',
        resource text NOT NULL,
        max int8 NOT NULL,
        PRIMARY KEY (project_id, user_id, resource)
      )`,
      `CREATE TABLE quota_usage (
        project_id text PRIMARY KEY,
        instances int8 NOT NULL CONSTRAINT quota_usage_instances CHECK (instances >= 0),
        cores int8 NOT NULL CONSTRAINT quota_usage_cores CHECK (cores >= 0),
        ram int8 NOT NULL CONSTRAINT quota_usage_ram CHECK (ram >= 0)
      )`,
      `CREATE TABLE quota_holding (
        server_id text PRIMARY KEY,
        project_id text NOT NULL,
        cores int8 NOT NULL,
        ram int8 NOT NULL
      )`,
    ],
  },
  {
    name: "0003-flavors-and-key-pairs",
    statements: [
      `CREATE TABLE flavor (
        id text CONSTRAINT flavor_id_once PRIMARY KEY,
        name text NOT NULL CONSTRAINT flavor_name_once UNIQUE,
        is_public bool NOT NULL,
        disabled bool NOT NULL,
        vcpus int8 NOT NULL,
        memory_mib int8 NOT NULL,
        root_gib int8 NOT NULL,
        ephemeral_gib int8 NOT NULL,
        swap_mib int8 NOT NULL,
        rxtx_factor float8 NOT NULL,
        description text,
        created_at timestamptz NOT NULL,
        updated_at timestamptz,
        project_ids text[] NOT NULL,
        generation int8 NOT NULL,
        body bytea NOT NULL
      )`,
      `CREATE TABLE key_pair (
        user_id text NOT NULL,
        name text NOT NULL,
        id int8 NOT NULL CONSTRAINT key_pair_number_once UNIQUE,
        body bytea NOT NULL,
        CONSTRAINT key_pair_name_once PRIMARY KEY (user_id, name)
      )`,
      `CREATE TABLE counter (name text PRIMARY KEY, value int8 NOT NULL)`,
      `INSERT INTO counter (name, value) VALUES ('key_pair', 0) ON CONFLICT DO NOTHING`,
    ],
  },
  feedMigration("0004-feed"),
  {
    name: "0005-server-groups",
    statements: [
      `CREATE TABLE server_group (
        id text PRIMARY KEY,
        project_id text NOT NULL,
        user_id text NOT NULL,
        name text NOT NULL,
        policy text NOT NULL CONSTRAINT server_group_policy_known CHECK (policy IN ('affinity', 'anti-affinity', 'soft-affinity', 'soft-anti-affinity')),
        max_server_per_host int8,
        created_at timestamptz NOT NULL
      )`,
      `CREATE INDEX server_group_by_project ON server_group (project_id, created_at, id)`,
      `CREATE TABLE server_group_member (
        server_id text PRIMARY KEY,
        group_id text NOT NULL,
        position int8 NOT NULL,
        joined_at timestamptz NOT NULL,
        cell text NOT NULL DEFAULT '',
        host text NOT NULL DEFAULT ''
      )`,
      `CREATE INDEX server_group_member_by_group ON server_group_member (group_id)`,
    ],
  },
  {
    name: "0006-aggregates",
    statements: [
      `CREATE TABLE aggregate (
        number int8 PRIMARY KEY,
        id text NOT NULL CONSTRAINT aggregate_id_once UNIQUE,
        name text NOT NULL CONSTRAINT aggregate_name_once UNIQUE,
        generation int8 NOT NULL,
        body bytea NOT NULL
      )`,
      `INSERT INTO counter (name, value) VALUES ('aggregate', 0) ON CONFLICT DO NOTHING`,
    ],
  },
  {
    name: "0007-aggregate-changes",
    statements: [`INSERT INTO counter (name, value) VALUES ('aggregate-change', 0) ON CONFLICT DO NOTHING`],
  },
  { name: "0008-other-fields", statements: otherFields("operation", "server_group") },
  { name: "0009-lanes", statements: laneStatements },
  { name: "0010-operation-lists", statements: operationListStatements },
  { name: "0011-subjects", statements: subjectStatements },
  {
    // The fence under which a server last changed its database: what was sent before that comes too late.
    name: "0012-mapping-fence",
    statements: [`ALTER TABLE instance_mapping ADD COLUMN fence int8 NOT NULL DEFAULT 0`],
  },
  { name: "0013-progress", statements: progressStatements },
  { name: "0014-server-rows", statements: serverRowStatements },
  {
    name: "0015-quota-claims",
    statements: [
      `CREATE TABLE quota_claim (
        operation_id text PRIMARY KEY,
        server_id text NOT NULL,
        project_id text NOT NULL,
        database text NOT NULL,
        instances int8 NOT NULL,
        cores int8 NOT NULL,
        ram int8 NOT NULL,
        target_instances int8 NOT NULL,
        target_cores int8 NOT NULL,
        target_ram int8 NOT NULL,
        created_at timestamptz NOT NULL
      )`,
      `CREATE INDEX quota_claim_by_server ON quota_claim (server_id)`,
      `CREATE INDEX quota_claim_by_age ON quota_claim (created_at, operation_id)`,
    ],
  },
  {
    // The cell in which a host registered last; stays when the host is deleted, for its operations.
    name: "0016-host-mappings",
    statements: [
      `CREATE TABLE host_mapping (
        host_id text PRIMARY KEY,
        database text NOT NULL
      )`,
    ],
  },
  { name: "0017-soft-deleted", statements: softDeletedStatements },
  {
    name: "0018-console-tokens",
    statements: [
      `CREATE TABLE console_token (
        token_hash bytea PRIMARY KEY,
        server_id text NOT NULL,
        project_id text NOT NULL,
        expires_at timestamptz NOT NULL,
        body bytea NOT NULL
      )`,
      `CREATE INDEX console_token_by_end ON console_token (expires_at)`,
      `CREATE INDEX console_token_by_server ON console_token (server_id, expires_at)`,
      `CREATE INDEX console_token_by_project ON console_token (project_id, expires_at)`,
    ],
  },
  { name: "0022-retention", statements: retentionStatements },
  { name: "0023-shelved", statements: shelvedStatements },
  { name: "0024-resized", statements: resizedStatements },
];
