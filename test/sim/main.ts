// `npm run sim [-- --hosts N --seconds S]`: what a cloud costs while nobody asks anything of it. All its
// hosts are fake ones in one process, and what they measure of themselves changes with each audit. Writes
// its section of docs/perf.md.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { cpuMs, pssMib } from "../bench/cpu.js";
import { Cloud, projectRoot } from "../e2e/support/cloud.js";

const HEADING = "## An idle fleet\n";
const FEW = 2;
/** Audits begin a minute after the start; two of them, and the compiler is warm. */
const SETTLE_S = 130;

const { values } = parseArgs({
  options: { hosts: { type: "string", default: "2000" }, seconds: { type: "string", default: "180" } },
});
const hosts = Number(values.hosts);
const seconds = Number(values.seconds);

/** Counters of one moment. */
interface Reading {
  readonly atMs: number;
  readonly outbox: number;
  /** Sum over all records that feeds tell of. */
  readonly generations: number;
  readonly commits: number;
  readonly walBytes: number;
  readonly nodeCpuMs: number;
  readonly postgresCpuMs: number;
  readonly calls: ReadonlyMap<string, number>;
}

/** What a cloud with that many hosts used while it was watched. */
interface Idle {
  readonly hosts: number;
  readonly startSeconds: number;
  readonly seconds: number;
  readonly before: Reading;
  readonly after: Reading;
  /** Hosts of which telemetry came in the last two audits. */
  readonly told: number;
  readonly nodeMib: number;
  readonly postgresMib: number;
}

const measured = [await watch(FEW), await watch(hosts)] as const;
const section = render(...measured);
console.log(section);
const path = join(projectRoot, "docs", "perf.md");
const text = readFileSync(path, "utf8");
const at = text.indexOf(HEADING);
const rest = at < 0 ? "" : (/\n## [^]*/.exec(text.slice(at + 1))?.[0].slice(1) ?? "");
writeFileSync(path, `${(at < 0 ? text : text.slice(0, at)).trimEnd()}\n\n${section}\n${rest}`);
execFileSync(join(projectRoot, "node_modules", ".bin", "prettier"), ["--write", "--log-level", "warn", path]);

async function watch(count: number): Promise<Idle> {
  const startedMs = performance.now();
  const cloud = await Cloud.start({
    portOffset: 22_000,
    args: ["--driver", "fake", "--hosts", String(count)],
    env: { KILONOVA_TELEMETRY_TRACES: "discard" },
  });
  const startSeconds = (performance.now() - startedMs) / 1000;
  console.log(`${count} hosts after ${startSeconds.toFixed(0)} s`);
  const { base, socketDir } = JSON.parse(readFileSync(join(cloud.home, "postgres.json"), "utf8")) as {
    base: string;
    socketDir: string;
  };
  const postgres = Number(readFileSync(join(base, "data", "postmaster.pid"), "utf8").split("\n")[0]);
  const database = new pg.Client({ host: socketDir, user: "kilonova", database: "postgres" });
  try {
    await sleep(SETTLE_S * 1000);
    await database.connect();
    const read = (): Promise<Reading> => readingOf(cloud, postgres, database);
    const before = await read();
    await sleep(seconds * 1000);
    const after = await read();
    const { rows } = await database.query<{ told: string }>(
      "SELECT count(*) AS told FROM cell1.host_telemetry WHERE seen_at > now() - interval '150 seconds'",
    );
    return {
      hosts: count,
      startSeconds,
      seconds: (after.atMs - before.atMs) / 1000,
      before,
      after,
      told: Number(rows[0]?.told),
      nodeMib: pssMib([cloud.pid]).total,
      postgresMib: pssMib([postgres]).total,
    };
  } finally {
    await database.end().catch(() => {});
    await cloud.stop();
    cloud.forget();
  }
}

async function readingOf(cloud: Cloud, postgres: number, database: pg.Client): Promise<Reading> {
  const one = async (statement: string): Promise<number> =>
    Number(Object.values((await database.query<Record<string, unknown>>(statement)).rows[0] ?? {})[0]);
  const metrics = await (await fetch(`http://127.0.0.1:${cloud.port(8771)}/metrics`)).text();
  const calls = new Map<string, number>();
  for (const [, name = "", number] of metrics.matchAll(
    /^kilonova_db_duration_seconds_count\{.*name="([^"]+)".*\} (\d+)$/gm,
  ))
    calls.set(name, (calls.get(name) ?? 0) + Number(number));
  return {
    atMs: performance.now(),
    outbox: await one(
      "SELECT (SELECT count(*) FROM global.outbox) + (SELECT count(*) FROM cell0.outbox) + (SELECT count(*) FROM cell1.outbox)",
    ),
    generations: await one(
      "SELECT (SELECT sum(generation) FROM cell1.service) + (SELECT sum(generation) FROM cell1.compute_node) + (SELECT sum(generation) FROM placement.provider)",
    ),
    commits: await one("SELECT sum(xact_commit) FROM pg_stat_database"),
    walBytes: await one("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"),
    nodeCpuMs: cpuMs([cloud.pid]),
    postgresCpuMs: cpuMs([postgres]),
    calls,
  };
}

function render(few: Idle, many: Idle): string {
  const rate = (of: (reading: Reading) => number, digits = 2) =>
    [few, many].map((idle) => ((of(idle.after) - of(idle.before)) / idle.seconds).toFixed(digits));
  const core = (of: (reading: Reading) => number) =>
    [few, many].map((idle) => `${((of(idle.after) - of(idle.before)) / idle.seconds / 10).toFixed(1)} %`);
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["outbox rows per second", rate(({ outbox }) => outbox)],
    ["generations moved per second (services, hypervisors, providers)", rate((one) => one.generations)],
    ["hosts whose telemetry came in the last two audits", [few, many].map(({ told }) => String(told))],
    ["transactions per second, PostgreSQL's count", rate(({ commits }) => commits, 1)],
    ["WAL, KiB per second", rate(({ walBytes }) => walBytes / 1024, 1)],
    ["CPU of Node.js, control plane and agents, of a core", core(({ nodeCpuMs }) => nodeCpuMs)],
    ["CPU of PostgreSQL, of a core", core(({ postgresCpuMs }) => postgresCpuMs)],
    ["memory of Node.js, MiB (PSS)", [few, many].map(({ nodeMib }) => nodeMib.toFixed(0))],
    ["memory of PostgreSQL, MiB (PSS)", [few, many].map(({ postgresMib }) => postgresMib.toFixed(0))],
    ["start, seconds", [few, many].map(({ startSeconds }) => startSeconds.toFixed(0))],
  ];
  const names = [...new Set([...few.after.calls.keys(), ...many.after.calls.keys()])];
  const calls = names
    .map((name) => [name, rate(({ calls: all }) => all.get(name) ?? 0)] as const)
    .filter(([, each]) => each.some((one) => Number(one) > 0))
    .sort(([, a], [, b]) => Number(b[1]) - Number(a[1]));
  const table = (head: string, lines: readonly (readonly [string, readonly string[]])[]): string =>
    [
      `| ${head} | ${few.hosts} hosts | ${many.hosts} hosts |`,
      "|---|---|---|",
      ...lines.map(([what, each]) => `| ${what} | ${each.join(" | ")} |`),
    ].join("\n");
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  return `${HEADING}
Nobody asks anything; each host audits itself once a minute, and what it measures of itself is another each
time. One process carries the control plane and all agents, with PostgreSQL beside it. Measured by
\`npm run sim\` for ${many.seconds.toFixed(0)} s each at commit ${commit.trim()} on ${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}.

${table("what", rows)}

Calls of the database by name, per second:

${table("statement or transaction", calls)}
`;
}
