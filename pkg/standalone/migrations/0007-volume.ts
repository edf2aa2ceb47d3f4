import type { Migration } from "../../platform/db/index.js";

/**
 * Volumes, their attachments, snapshots, types and quotas. `task` is work that was promised and is not done
 * yet: a start goes on with it. Data lies in files named after the ids.
 */
export const volume: Migration = {
  name: "0007-volume",
  statements: [
    `CREATE TABLE volume_type (
    id text CONSTRAINT volume_type_pkey PRIMARY KEY, name text NOT NULL CONSTRAINT volume_type_name UNIQUE,
    description text, is_public boolean NOT NULL, extra_specs jsonb NOT NULL, created_at timestamptz NOT NULL)`,
    `CREATE TABLE volume_volume (
    id text CONSTRAINT volume_volume_pkey PRIMARY KEY, name text NOT NULL, description text NOT NULL,
    project_id text NOT NULL, user_id text NOT NULL, size_gib int8 NOT NULL,
    status text NOT NULL, previous_status text, task jsonb,
    bootable boolean NOT NULL, multiattach boolean NOT NULL, read_only boolean NOT NULL,
    type_id text NOT NULL CONSTRAINT volume_volume_type REFERENCES volume_type (id),
    snapshot_id text, source_volid text, availability_zone text NOT NULL,
    metadata jsonb NOT NULL, image_metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE INDEX volume_volume_project ON volume_volume (project_id, created_at, id)`,
    `CREATE INDEX volume_volume_type_id ON volume_volume (type_id)`,
    `CREATE TABLE volume_snapshot (
    id text CONSTRAINT volume_snapshot_pkey PRIMARY KEY, name text NOT NULL, description text NOT NULL,
    volume_id text NOT NULL CONSTRAINT volume_snapshot_volume REFERENCES volume_volume (id),
    project_id text NOT NULL, user_id text NOT NULL, size_gib int8 NOT NULL,
    status text NOT NULL, task jsonb, metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL)`,
    `CREATE INDEX volume_snapshot_project ON volume_snapshot (project_id, created_at, id)`,
    `CREATE INDEX volume_snapshot_volume_id ON volume_snapshot (volume_id)`,
    `CREATE TABLE volume_attachment (
    id text CONSTRAINT volume_attachment_pkey PRIMARY KEY,
    volume_id text NOT NULL CONSTRAINT volume_attachment_volume REFERENCES volume_volume (id) ON DELETE CASCADE,
    project_id text NOT NULL, instance_uuid text, status text NOT NULL, mode text, mountpoint text,
    connector jsonb, connection_info jsonb, attached_at timestamptz, created_at timestamptz NOT NULL)`,
    `CREATE INDEX volume_attachment_volume_id ON volume_attachment (volume_id)`,
    `CREATE INDEX volume_attachment_project ON volume_attachment (project_id, created_at, id)`,
    `CREATE TABLE volume_quota (
    project_id text NOT NULL, resource text NOT NULL, quota int8 NOT NULL, PRIMARY KEY (project_id, resource))`,
  ],
};
