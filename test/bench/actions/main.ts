// `npm run bench:actions`: what each action on a server costs on fake hosts, alone and eight at a time.
// Writes its section of docs/perf.md.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { catalogue } from "../../../pkg/model/operation-catalogue.js";
import { subjectOf } from "../../../pkg/model/operation-declaration.js";
import type { OperationDeclaration } from "../../../pkg/model/operation-declaration.js";
import { wayTo } from "../../crash/way-to.js";
import { projectRoot } from "../../e2e/support/cloud.js";
import { median } from "../measured-cloud.js";
import { ActionCloud } from "./action-cloud.js";
import type { Batch } from "./action-cloud.js";

const HEADING = "## Actions\n";
const ALONE = 16;
const TOGETHER = 48;
const AT_ONCE = 8;
/** Warm: what counts is a running cloud, not the compiler's first minute. */
const WARM = 150;

interface Row {
  readonly kind: string;
  readonly alone: Batch;
  readonly together: Batch;
}

const { values } = parseArgs({ options: { kinds: { type: "string", default: "" } } });
const wanted = values.kinds.split(",").filter(Boolean);
const ofServers = catalogue.all.filter(
  (one) => subjectOf(one) === "server" && (wanted.length === 0 || wanted.includes(one.kind)),
);
const rows: Row[] = [];
const unmeasured: string[] = [];
const cloud = await ActionCloud.start(20_500);
try {
  await cloud.remove((await cloud.boot(WARM, AT_ONCE)).ids);
  for (const one of ofServers) {
    const row = one.kind === "server.boot" ? await boots() : await actions(one).catch(named(one.kind));
    if (row === undefined) unmeasured.push(one.kind);
    else {
      rows.push(row);
      console.log(lineOf(row));
    }
  }
} finally {
  await cloud.stop();
}
write(section());

async function boots(): Promise<Row> {
  const alone = await cloud.boot(ALONE, 1);
  const together = await cloud.boot(TOGETHER, AT_ONCE);
  await cloud.remove([...alone.ids, ...together.ids]);
  return { kind: "server.boot", alone: alone.batch, together: together.batch };
}

/** New servers, brought to a state from which it starts. */
async function actions(one: OperationDeclaration): Promise<Row | undefined> {
  const { ids } = await cloud.boot(ALONE + TOGETHER, AT_ONCE);
  try {
    for (const before of wayTo(one, catalogue.all)) await cloud.act(before, ids, AT_ONCE);
    const alone = await cloud.act(one, ids.slice(0, ALONE), 1);
    const together = await cloud.act(one, ids.slice(ALONE), AT_ONCE);
    return alone && together && { kind: one.kind, alone, together };
  } finally {
    await cloud.remove(ids);
  }
}

function named(kind: string): (error: unknown) => never {
  return (error) => {
    throw new Error(`${kind}: ${String(error)}`, { cause: error });
  };
}

function cells({ samples, cpuMsEach }: Batch): string[] {
  const p50 = (of: (sample: Batch["samples"][number]) => number): string =>
    median(samples.map(of), (ms) => ms).toFixed(1);
  return [p50(({ answerMs }) => answerMs), p50(({ endMs }) => endMs), cpuMsEach.toFixed(1)];
}

function lineOf({ kind, alone, together }: Row): string {
  return `| \`${kind}\` | ${[...cells(alone), ...cells(together)].join(" | ")} |`;
}

function section(): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}`;
  return `${HEADING}
What each action on a server costs on fake hosts, measured by \`npm run bench:actions\` at commit ${commit.trim()} on ${machine}: the middle of ${ALONE} one after the
other, and of ${TOGETHER} on other servers, ${AT_ONCE} at a time. *Answer* is the REST request, *end* from the request until the operation
has ended, both p50 in ms. *CPU* is that of all processes, PostgreSQL included, per action in ms, with the two calls
by which the end is awaited.

| kind | answer | end | CPU | answer, ${AT_ONCE} | end, ${AT_ONCE} | CPU, ${AT_ONCE} |
|---|---|---|---|---|---|---|
${rows.map(lineOf).join("\n")}
${unmeasured.length === 0 ? "" : `\nNot measured: ${unmeasured.map((kind) => `\`${kind}\``).join(", ")}.\n`}`;
}

function write(text: string): void {
  const path = join(projectRoot, "docs", "perf.md");
  const whole = readFileSync(path, "utf8");
  const at = whole.indexOf(HEADING);
  const rest = at < 0 ? "" : (/\n## [^]*/.exec(whole.slice(at + 1))?.[0].slice(1) ?? "");
  writeFileSync(path, `${(at < 0 ? whole : whole.slice(0, at)).trimEnd()}\n\n${text}\n${rest}`);
  execFileSync(join(projectRoot, "node_modules", ".bin", "prettier"), [
    "--write",
    "--log-level",
    "warn",
    path,
  ]);
}
