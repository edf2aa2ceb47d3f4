import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { FAKE_METHODS } from "../../pkg/compute/drivers/fake/index.js";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { Protos } from "../e2e/bad-input/protos.js";
import { Callers } from "./callers.js";
import { disagreements, unsettled } from "./checks.js";
import { everywhere } from "./everywhere.js";
import { failures, unexplainedBoots } from "./failed-boots.js";
import type { Failure } from "./failed-boots.js";
import { kindsOf } from "./kinds.js";
import { blowsOf, planOf } from "./plan.js";
import type { Blow } from "./plan.js";
import { SoakCloud } from "./soak-cloud.js";
import type { Volumes } from "./volumes.js";

export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly fakeServers: number;
  readonly fakeHosts: number;
  readonly realServers: number;
  /** Image of real guests; absent: there are none. */
  readonly guestImage?: string;
  readonly callers: number;
  /** By how much longer than usual everybody waits for everybody: 1 on a machine of one's own. */
  readonly patience: number;
  readonly tell: (line: string) => void;
}

export interface SoakReport {
  readonly steps: number;
  readonly servers: number;
  /** By kind, how often each outcome came. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Of all operations: kind, state, how many. */
  readonly operations: readonly { readonly kind: string; readonly state: string; readonly count: string }[];
  /** Of all operations that failed. */
  readonly failures: readonly Failure[];
  /** By process, or by the faults of a driver's method. */
  readonly blows: ReadonlyMap<string, number>;
  /** Answers, ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly settledMs: number;
  /** What was wrong; empty is well. */
  readonly wrong: readonly string[];
}

const RECLAIM_S = 15;
const SETTLE_MS = 300_000;
/** How often what is still going on is told. */
const TELL_MS = 15_000;
/** Power states and guests of deleted servers are seen to by the agents' audits. */
const AGREE_MS = 60_000;
const REST_MS = 250;
const BLOW_MS = 3_000;

/** Without these an agent does not come up, or nobody sees what it has. */
const NEEDED = new Set(["start", "inventory", "telemetry", "list", "inspect"]);

/** Random life for a while, then everything at rest and compared; then all servers deleted, and again. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const cloud = await SoakCloud.start({ ...options, guestImage: options.guestImage, reclaimS: RECLAIM_S });
  const slots = options.fakeServers + options.realServers;
  const callers = new Callers(cloud, options.fakeServers);
  const blows = new Map<string, number>();
  const wrong: string[] = [];
  try {
    options.tell(`${new Date().toISOString()} the cloud is up, seed ${options.seed}`);
    // An empty cloud agrees; what asks it works.
    wrong.push(...(await disagreements(cloud, callers.volumes, true)).map((one) => `before the run: ${one}`));
    const ending = new AbortController();
    const timer = setTimeout(() => ending.abort(), options.seconds * 1000);
    const plan = planOf({ seed: options.seed, slots, kinds: kindsOf(new Protos()), restMs: REST_MS });
    await Promise.all([
      ...Array.from({ length: options.callers }, () => callers.run(plan, ending.signal)),
      callers.volumes.live(options.seed, ending.signal),
      strike(cloud, options, ending.signal, blows),
    ]);
    clearTimeout(timer);
    await cloud.whole();
    for (const host of cloud.fakeHosts) await cloud.script(host, []);
    options.tell(`${new Date().toISOString()} settles`);
    const startedMs = performance.now();
    wrong.push(
      ...(await atRest(cloud, callers.volumes, {
        when: "after the run",
        tell: options.tell,
        atLast: false,
        patience: options.patience,
      })),
    );
    const settledMs = performance.now() - startedMs;
    const operations = await operationsOf(cloud);
    const failed = await failures(cloud);
    wrong.push(...unexplainedBoots(failed));
    if (wrong.length === 0) wrong.push(...(await emptied(cloud, callers.volumes, options)));
    const all = [...callers.wrong, ...wrong];
    if (all.length > 0) options.tell(`what was logged and done: ${await kept(cloud, options.seed)}`);
    const sorted = callers.durations.toSorted((a, b) => a - b);
    return {
      steps: sorted.length,
      servers: callers.made.length,
      outcomes: callers.outcomes,
      operations,
      failures: failed,
      blows,
      p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0,
      p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
      settledMs,
      wrong: all,
    };
  } finally {
    callers.close();
    await cloud.close();
  }
}

/** Kills and spoils until told to stop. */
async function strike(
  cloud: SoakCloud,
  { seed, fakeHosts, patience }: SoakOptions,
  signal: AbortSignal,
  count: Map<string, number>,
): Promise<void> {
  const hosts = [...cloud.fakeHosts, ...(cloud.qemuHost === undefined ? [] : [cloud.qemuHost])];
  const blows = blowsOf({
    seed,
    often: ["conductor-1", "conductor-2", ...hosts.map((host) => `compute-${host}`)],
    once: ["api", "cells", "gateway", "placement", "scheduler"],
    fakeHosts,
    methods: FAKE_METHODS.filter((name) => !NEEDED.has(name)),
    everyMs: BLOW_MS * patience,
  });
  for (const blow of blows) {
    await delay(blow.afterMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    if (await strikes(cloud, blow)) {
      const what = blow.what === "kill" ? blow.process : `fault of ${blow.method}`;
      count.set(what, (count.get(what) ?? 0) + 1);
    }
  }
}

async function strikes(cloud: SoakCloud, blow: Blow): Promise<boolean> {
  if (blow.what === "kill") return cloud.kill(blow.process, blow.awayMs);
  return cloud.script(cloud.fakeHosts[blow.host] ?? "", [
    {
      method: blow.method,
      times: blow.times,
      delayMs: blow.delayMs,
      ...(blow.fails || blow.delayMs === 0 ? { failReason: "SOAKED", failMessage: "as the plan says" } : {}),
    },
  ]);
}

interface Rest {
  readonly when: string;
  readonly tell: (line: string) => void;
  readonly atLast: boolean;
  readonly patience: number;
}

/** Waits until nothing goes on, and then until everything agrees. @returns what never did */
async function atRest(
  cloud: SoakCloud,
  volumes: Volumes,
  { when, tell, atLast, patience }: Rest,
): Promise<string[]> {
  let left = await unsettled(cloud);
  let toldMs = Date.now();
  for (
    const endMs = Date.now() + SETTLE_MS * patience;
    left !== "" && Date.now() < endMs;
    left = await unsettled(cloud)
  ) {
    await delay(500);
    if (Date.now() - toldMs < TELL_MS) continue;
    toldMs = Date.now();
    tell(`${when}, still ${left}`);
  }
  if (left !== "") return [`${when}: ${left}`];
  let found = await disagreements(cloud, volumes, atLast);
  for (const endMs = Date.now() + AGREE_MS * patience; found.length > 0 && Date.now() < endMs;) {
    await delay(2_000);
    found = await disagreements(cloud, volumes, atLast);
  }
  return found.map((one) => `${when}: ${one}`);
}

/** Deletes all servers: nothing of them is left. */
async function emptied(
  cloud: SoakCloud,
  volumes: Volumes,
  { tell, patience }: Pick<SoakOptions, "tell" | "patience">,
): Promise<string[]> {
  const rest = cloud.rest(cloud.operator, "compute");
  const { deployment } = cloud;
  const living = everywhere((s) => `SELECT id FROM ${s}.instance WHERE deleted_at IS NULL`);
  for (const { id } of await deployment.query<{ id: string }>(living)) {
    const { status } = await rest.call("POST", `/servers/${id}/action`, { forceDelete: null });
    if (status !== 204 && status !== 202 && status !== 404) return [`deleting ${id}: ${status}`];
  }
  for (const endMs = Date.now() + SETTLE_MS * patience; Date.now() < endMs; await delay(500))
    if ((await deployment.query(living)).length === 0) break;
  const wrong = await atRest(cloud, volumes, { when: "after all deletions", tell, atLast: true, patience });
  for (const [what, sql] of [
    ["a server", living],
    ["an allocation", "SELECT consumer_id FROM placement.allocation"],
    ["a holding", "SELECT server_id FROM global.quota_holding"],
    ["an attachment", "SELECT id, volume_id, instance_uuid FROM standalone.volume_attachment"],
    ["a port", "SELECT id, device_id FROM standalone.network_port WHERE device_owner LIKE 'compute:%'"],
  ] as const) {
    const rows = await deployment.query(sql);
    if (rows.length > 0) wrong.push(`after all deletions: ${what}: ${JSON.stringify(rows.slice(0, 5))}`);
  }
  return wrong;
}

/** Writes what explains a finding into a folder. @returns its path */
async function kept({ deployment }: SoakCloud, seed: number): Promise<string> {
  const dir = join(packageRoot(), ".cache", `soak-${seed}`);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "log"), deployment.programs.tail(Infinity));
  const operations = await deployment.query(
    everywhere(
      (s) => `SELECT '${s}' AS place, to_jsonb(o) - 'actor' - 'secrets' AS row FROM ${s}.operation AS o`,
    ),
  );
  await writeFile(join(dir, "operations"), operations.map((one) => JSON.stringify(one)).join("\n"));
  return dir;
}

const operationsOf = ({ deployment }: SoakCloud): Promise<SoakReport["operations"]> =>
  deployment.query(
    `SELECT kind, state, count(*) AS count FROM (${everywhere((s) => `SELECT kind, state FROM ${s}.operation`)}) AS o GROUP BY kind, state ORDER BY kind, state`,
  );
