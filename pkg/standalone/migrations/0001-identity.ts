import type { Migration } from "../../platform/db/index.js";

/** Domains, projects, users, roles, assignments, tokens. Ids are 32 hex digits, as Keystone makes them. */
export const identity: Migration = {
  name: "0001-identity",
  statements: [
    `CREATE TABLE identity_domain (
    id text PRIMARY KEY, name text NOT NULL, enabled boolean NOT NULL, description text NOT NULL,
    CONSTRAINT identity_domain_name UNIQUE (name))`,
    `CREATE TABLE identity_project (
    id text PRIMARY KEY, name text NOT NULL, enabled boolean NOT NULL, description text NOT NULL, tags text[] NOT NULL,
    domain_id text NOT NULL CONSTRAINT identity_project_domain REFERENCES identity_domain (id) ON DELETE CASCADE,
    parent_id text NOT NULL,
    CONSTRAINT identity_project_name UNIQUE (domain_id, name))`,
    `CREATE TABLE identity_user (
    id text PRIMARY KEY, name text NOT NULL, enabled boolean NOT NULL, description text NOT NULL, email text,
    domain_id text NOT NULL CONSTRAINT identity_user_domain REFERENCES identity_domain (id) ON DELETE CASCADE,
    default_project_id text, password_hash text,
    CONSTRAINT identity_user_name UNIQUE (domain_id, name))`,
    `CREATE TABLE identity_role (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, CONSTRAINT identity_role_name UNIQUE (name))`,
    `CREATE TABLE identity_implied_role (
    prior_role_id text NOT NULL REFERENCES identity_role (id) ON DELETE CASCADE,
    implied_role_id text NOT NULL REFERENCES identity_role (id) ON DELETE CASCADE,
    PRIMARY KEY (prior_role_id, implied_role_id))`,
    // target is project:<id>, domain:<id> or system: the key of lookups; the references only make deletions
    // cascade.
    `CREATE TABLE identity_assignment (
    user_id text NOT NULL CONSTRAINT identity_assignment_user REFERENCES identity_user (id) ON DELETE CASCADE,
    target text NOT NULL,
    role_id text NOT NULL CONSTRAINT identity_assignment_role REFERENCES identity_role (id) ON DELETE CASCADE,
    project_id text CONSTRAINT identity_assignment_project REFERENCES identity_project (id) ON DELETE CASCADE,
    domain_id text CONSTRAINT identity_assignment_domain REFERENCES identity_domain (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, target, role_id))`,
    `CREATE INDEX identity_assignment_target ON identity_assignment (target)`,
    `CREATE TABLE identity_application_credential (
    id text PRIMARY KEY, name text NOT NULL, description text NOT NULL, secret_hash text NOT NULL,
    user_id text NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
    project_id text NOT NULL REFERENCES identity_project (id) ON DELETE CASCADE,
    role_ids text[] NOT NULL, unrestricted boolean NOT NULL, expires_at timestamptz,
    CONSTRAINT identity_application_credential_name UNIQUE (user_id, name))`,
    `CREATE TABLE identity_token (
    token_hash bytea PRIMARY KEY, audit_id text NOT NULL, chain_id text NOT NULL,
    user_id text NOT NULL REFERENCES identity_user (id) ON DELETE CASCADE,
    scope text NOT NULL CONSTRAINT identity_token_scope CHECK (scope IN ('unscoped', 'project', 'domain', 'system')),
    project_id text REFERENCES identity_project (id) ON DELETE CASCADE,
    domain_id text REFERENCES identity_domain (id) ON DELETE CASCADE,
    application_credential_id text REFERENCES identity_application_credential (id) ON DELETE CASCADE,
    methods text[] NOT NULL, issued_at timestamptz NOT NULL, expires_at timestamptz NOT NULL)`,
    `CREATE INDEX identity_token_user ON identity_token (user_id)`,
    `CREATE INDEX identity_token_expiry ON identity_token (expires_at)`,
  ],
};
