import type { Migration } from "../../../../platform/db/index.js";

/**
 * Providers, what they have, who holds it. `inventory.used` is the sum of the class' allocations, kept in the
 * same transaction, so that a claim reads one row per class. `provider.revision` is the head's revision of
 * the last change (`shape_revision`: of anything but usage): together they are the feed, which therefore
 * never has to be compacted.
 */
export const createPlacement: Migration = {
  name: "0001-create-placement",
  statements: [
    `CREATE TABLE head (id int8 PRIMARY KEY CHECK (id = 1), revision int8 NOT NULL, incarnation text NOT NULL)`,
    `INSERT INTO head (id, revision, incarnation) VALUES (1, 1, gen_random_uuid()::text) ON CONFLICT DO NOTHING`,
    `CREATE TABLE provider (
       id text PRIMARY KEY,
       name text NOT NULL CONSTRAINT provider_name UNIQUE,
       generation int8 NOT NULL,
       parent_id text NOT NULL,
       root_id text NOT NULL,
       revision int8 NOT NULL,
       shape_revision int8 NOT NULL,
       updated_at timestamptz NOT NULL)`,
    `CREATE INDEX provider_by_revision ON provider (revision)`,
    `CREATE INDEX provider_by_root ON provider (root_id)`,
    `CREATE TABLE provider_deletion (provider_id text PRIMARY KEY, revision int8 NOT NULL)`,
    `CREATE INDEX provider_deletion_by_revision ON provider_deletion (revision)`,
    `CREATE TABLE provider_shape (provider_id text PRIMARY KEY, traits text[] NOT NULL, aggregates text[] NOT NULL)`,
    `CREATE TABLE inventory (
       provider_id text NOT NULL,
       resource_class text NOT NULL,
       total int8 NOT NULL CHECK (total >= 0),
       reserved int8 NOT NULL CHECK (reserved >= 0),
       min_unit int8 NOT NULL CHECK (min_unit >= 1),
       max_unit int8 NOT NULL CHECK (max_unit >= 1),
       step_size int8 NOT NULL CHECK (step_size >= 1),
       allocation_ratio float8 NOT NULL CHECK (allocation_ratio > 0),
       used int8 NOT NULL CHECK (used >= 0),
       PRIMARY KEY (provider_id, resource_class))`,
    `CREATE TABLE consumer (
       id text PRIMARY KEY,
       generation int8 NOT NULL,
       project_id text NOT NULL,
       user_id text NOT NULL,
       consumer_type text NOT NULL,
       claim_operation text NOT NULL,
       claim_fence int8 NOT NULL)`,
    `CREATE INDEX consumer_by_project ON consumer (project_id, user_id)`,
    `CREATE TABLE allocation (
       consumer_id text NOT NULL,
       provider_id text NOT NULL,
       resource_class text NOT NULL,
       amount int8 NOT NULL CHECK (amount >= 1),
       PRIMARY KEY (consumer_id, provider_id, resource_class))`,
    `CREATE INDEX allocation_by_provider ON allocation (provider_id)`,
    `CREATE TABLE tombstone (
       consumer_id text NOT NULL,
       operation text NOT NULL,
       fence int8 NOT NULL,
       buried_at timestamptz NOT NULL,
       PRIMARY KEY (consumer_id, operation))`,
    `CREATE INDEX tombstone_by_age ON tombstone (buried_at)`,
    `CREATE TABLE custom_trait (name text PRIMARY KEY)`,
    `CREATE TABLE custom_resource_class (name text PRIMARY KEY)`,
  ],
};
