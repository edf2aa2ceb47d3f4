// `npm run bench`: CPU time per operation of a whole cloud on the fake driver, with fsync, policy and tracing
// on. Writes docs/perf.md.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { projectRoot } from "../e2e/support/cloud.js";
import { measureBaseline } from "./baseline.js";
import { measureHop } from "./hop.js";
import { MeasuredCloud, OPERATIONS, median } from "./measured-cloud.js";
import type { Cost, Operation } from "./measured-cloud.js";

/** CPU time of the real Nova on such a machine, in ms; its servers had no network. */
const NOVA_MS: Readonly<Record<keyof typeof OPERATIONS, number>> = {
  createWithPort: 1000,
  create: 1000,
  detail: 2100,
  show: 54,
  flavors: 11,
};

const NOTES = "## Notes\n";

/**
 * Each operation is measured this often, the baseline before it each time: the machine's own speed changes
 * from minute to minute.
 */
const PARTS = 3;

interface Row extends Cost {
  readonly what: string;
  readonly novaMs?: number;
}

interface Measured {
  readonly rows: readonly Row[];
  readonly pss: ReturnType<MeasuredCloud["memory"]>;
  readonly baselines: readonly number[];
}

const cloud = await MeasuredCloud.start(20_000);
try {
  const report = render(await bench());
  console.log(report.text);
  const path = join(projectRoot, "docs", "perf.md");
  // What people wrote about the figures stays.
  const [, notes] = readFileSync(path, "utf8").split(NOTES);
  writeFileSync(path, notes === undefined ? report.markdown : `${report.markdown}\n${NOTES}${notes}`);
  // Tables are laid out as everything else.
  execFileSync(join(projectRoot, "node_modules", ".bin", "prettier"), [
    "--write",
    "--log-level",
    "warn",
    path,
  ]);
} finally {
  await cloud.stop();
}

async function bench(): Promise<Measured> {
  await cloud.grow(20);
  const pss = cloud.memory();
  const rows: Row[] = [];
  const baselines: number[] = [];
  for (const [key, novaMs] of Object.entries(NOVA_MS)) {
    const operation: Operation = OPERATIONS[key as keyof typeof OPERATIONS];
    await operation.prepare?.(cloud);
    const parts: Cost[] = [];
    for (let part = 0; part < PARTS; part++) {
      baselines.push(await measureBaseline());
      parts.push(await cloud.measure(operation));
    }
    rows.push({ what: operation.what, ...median(parts, ({ cpuMsEach }) => cpuMsEach), novaMs });
    console.log(`${operation.what}: ${parts.map((p) => p.cpuMsEach.toFixed(2)).join(", ")} ms CPU each`);
  }
  return { rows: [...rows, ...(await measureHop())], pss, baselines };
}

function render({ rows, pss, baselines }: Measured): {
  text: string;
  markdown: string;
} {
  const baselineMs = median(baselines, (one) => one);
  const lines = rows.map((r) => [
    r.what,
    r.cpuMsEach.toFixed(2),
    r.perSecond.toFixed(1),
    (r.cpuMsEach / baselineMs).toFixed(1),
    r.novaMs ? String(r.novaMs) : "–",
    r.novaMs ? `1/${(r.novaMs / r.cpuMsEach).toFixed(0)}` : "–",
  ]);
  const head = ["operation", "CPU ms each", "per second", "× baseline", "Nova CPU ms", "of Nova"];
  const table = [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---").join("|")}|`,
    ...lines.map((l) => `| ${l.join(" | ")} |`),
  ].join("\n");
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: projectRoot,
    encoding: "utf8",
  }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}`;
  const memory = `Summed PSS of all processes after 20 creates, PostgreSQL included: ${pss.total.toFixed(0)} MiB.`;
  const baseline = `Baseline: an Express handler that answers 1 KB of JSON, measured before each part: ${baselineMs.toFixed(2)} ms of CPU each (${Math.min(...baselines).toFixed(2)} to ${Math.max(...baselines).toFixed(2)}).
Each operation was measured ${PARTS} times; the row is the one in the middle.`;
  return {
    text: `${table}\n\n${memory}\n${baseline}`,
    markdown: `# Performance\n\nCPU time per operation, summed over all processes of the cloud (PostgreSQL included), with fsync, policy and tracing on; measured by \`npm run bench\`
at commit ${commit} on ${machine}. Nova's figures are of the real services on such a machine.\n\n${table}\n\n${memory}\n\n${baseline}\n`,
  };
}
