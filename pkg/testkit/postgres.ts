import { execFile, spawn } from "node:child_process";
import { chown, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { migrate, openDatabase, openPool } from "../platform/db/index.js";
import type { Database, DbMetrics, DbPool, Migration, PoolOptions } from "../platform/db/index.js";
import { serverAccount, spawnAs } from "../platform/postgres/account.js";
import { debianBinaries, npmBinaries } from "../platform/postgres/binaries.js";
import type { Binaries } from "../platform/postgres/binaries.js";
import { answers } from "../platform/postgres/probe.js";
import { testCtx } from "./ctx.js";
import { until } from "./until.js";

export interface TestCluster {
  /** PostgreSQL's major version. */
  readonly major: number;
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
}

/** A fresh schema in the process's private cluster. */
export interface TestDatabase {
  readonly cluster: TestCluster;
  readonly pool: DbPool;
  readonly schema: string;
  /** Typed access to the schema (or to another one, to stand for a second database). */
  open<S>(options?: { readonly schema?: string; readonly metrics?: DbMetrics }): Database<S>;
  /** A pool of its own to the same cluster: for what must not share sessions. The caller closes it. */
  newPool(options?: Partial<PoolOptions>): DbPool;
}

let cluster: Promise<TestCluster> | undefined;
let shared: DbPool | undefined;
let schemas = 0;

/**
 * A fresh, migrated schema. The first call of a process starts a PostgreSQL of its own (about a second, on a
 * unix socket, without fsync), which ends and disappears with the process, however that ends.
 * `KILONOVA_TEST_PG=15|18` chooses Debian's or npm's; by default Debian's where it is installed.
 */
export async function testDatabase(migrations: readonly Migration[] = []): Promise<TestDatabase> {
  const started = await testCluster();
  shared ??= openPool({ ...started.connection, max: 20, allowExitOnIdle: true });
  const pool = shared;
  const schema = `test_${process.pid}_${++schemas}`;
  await migrate(testCtx(), pool, schema, migrations);
  return {
    cluster: started,
    pool,
    schema,
    open: <S>({ schema: other = schema, metrics }: { schema?: string; metrics?: DbMetrics } = {}) =>
      openDatabase<S>(pool, { schema: other, ...(metrics === undefined ? {} : { metrics }) }),
    newPool: (options = {}) => openPool({ ...started.connection, allowExitOnIdle: true, ...options }),
  };
}

/** The process's private cluster, started on first use. */
export const testCluster = (): Promise<TestCluster> => (cluster ??= startCluster());

async function startCluster(): Promise<TestCluster> {
  const { major, binaries } = await chooseBinaries();
  const account = serverAccount();
  const dir = await mkdtemp("/tmp/kilonova-test-pg-");
  await chown(dir, account.uid, account.gid);
  const env = { ...process.env, ...binaries.env, LC_ALL: "C", TZ: "UTC" };
  const data = join(dir, "data");
  await promisify(execFile)(
    binaries.initdb,
    ["-D", data, "-U", "kilonova", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...spawnAs(account), env, cwd: dir },
  );
  const settings = {
    listen_addresses: "",
    unix_socket_directories: dir,
    max_connections: "120",
    shared_buffers: "32MB",
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    autovacuum: "off",
    logging_collector: "off",
    timezone: "UTC",
    jit: "off",
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  // The shell outlives us when we are killed, sees the closed pipe, and cleans up.
  const script = `"$@" >"$0/log" 2>&1 </dev/null & server=$!; cat >/dev/null; kill -QUIT $server; wait $server; rm -rf "$0"`;
  const keeper = spawn("/bin/sh", ["-c", script, dir, binaries.postgres, "-D", data, ...flags], {
    ...spawnAs(account),
    env,
    cwd: dir,
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  keeper.unref();
  const { stdin } = keeper;
  if (stdin !== null && "unref" in stdin && typeof stdin.unref === "function") stdin.unref();
  await until(() => answers(dir, 5432), { timeoutMs: 60_000, what: "PostgreSQL to start" });
  return { major, connection: { host: dir, port: 5432, user: "kilonova", database: "postgres" } };
}

async function chooseBinaries(): Promise<{ major: number; binaries: Binaries }> {
  const wanted = process.env["KILONOVA_TEST_PG"];
  const debian = wanted === "18" ? undefined : await debianBinaries(15);
  if (debian !== undefined) return { major: 15, binaries: debian };
  if (wanted !== undefined && wanted !== "18") throw new Error(`KILONOVA_TEST_PG=${wanted}: not installed`);
  return {
    major: 18,
    binaries: await npmBinaries(`/tmp/kilonova-test-pg-${process.getuid?.() ?? 0}`, serverAccount()),
  };
}
