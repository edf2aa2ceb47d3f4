import type { Migration } from "../../platform/db/index.js";

const TABLES = ["identity_domain", "identity_project", "identity_user", "identity_role"] as const;

/**
 * Resource options (`immutable` …), and attributes of a client's own making, which Keystone keeps as they
 * are.
 */
export const identityAttributes: Migration = {
  name: "0005-identity-attributes",
  statements: TABLES.flatMap((table) => [
    `ALTER TABLE ${table} ADD COLUMN options jsonb NOT NULL DEFAULT '{}'`,
    `ALTER TABLE ${table} ADD COLUMN extra jsonb NOT NULL DEFAULT '{}'`,
  ]),
};
