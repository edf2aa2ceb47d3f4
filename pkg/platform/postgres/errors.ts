import { defineErrors } from "../../kernel/errors.js";

export const PostgresErrors = defineErrors("postgres", {
  NO_ACCOUNT: [
    "refused",
    (_p: Record<string, never>) =>
      "PostgreSQL does not run as root, and this system has neither a `postgres` nor a `nobody` account to lend it.",
  ],
  OTHER_VERSION: [
    "refused",
    (p: { data: string; found: string; wanted: string }) =>
      `The database in ${p.data} belongs to PostgreSQL ${p.found}; this is ${p.wanted}.`,
  ],
  UNSAFE_DIRECTORY: [
    "refused",
    (p: { path: string }) => `${p.path} belongs to somebody else or is open to others.`,
  ],
  RECORD_UNREADABLE: [
    "refused",
    (p: { file: string; problem: string }) =>
      `${p.file} cannot be read: ${p.problem}. It says where the database lies; without it a new one would take its place. Nothing was touched: mend the file and start again.`,
  ],
  INITDB_FAILED: [
    "unavailable",
    (p: { problem: string }) =>
      `PostgreSQL's initdb failed: ${p.problem}. Nothing of it was kept: start again.`,
  ],
  START_FAILED: ["unavailable", (p: { log: string }) => `PostgreSQL did not start; see ${p.log}.`],
  STOP_FAILED: ["internal", (p: { pid: number }) => `PostgreSQL (process ${p.pid}) does not stop.`],
});
