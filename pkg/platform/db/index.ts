export { openDatabase } from "./database.js";
export type { AccessKind, Database, DbMetrics, DbSample, WriteOptions } from "./database.js";
export { DbError, DbErrors, violates } from "./errors.js";
export { openPool } from "./pool.js";
export type { DbPool, PoolOptions } from "./pool.js";
export { sqlJson, sqlTime } from "./values.js";
export { migrate, pendingMigrations } from "./migrate.js";
export type { Migration } from "./migrate.js";
