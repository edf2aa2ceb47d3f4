// `npm run bench:actions`: what each action on a server costs on fake hosts, alone and eight at a time.
// Writes its section of docs/perf.md. With `--beside-nova FOLDER` also what it costs a Nova that runs on this
// machine, in turns: FOLDER has the pid files of its processes, the usual OS_ variables say how to log in.
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
import { kilonova } from "./kilonova.js";
import { nova } from "./nova.js";
import { UNASKED, WITH_VOLUME } from "./requests.js";
import type { Batch } from "./action-cloud.js";

const HEADING = "## Actions\n";
const AT_ONCE = 8;
/** Servers for each kind: for one action after the other, and for AT_ONCE at a time. */
interface Counts {
  readonly alone: number;
  readonly together: number;
  /** Before everything: what counts is a running cloud, not the compiler's first minute. */
  readonly warm: number;
}
const OURS: Counts = { alone: 16, together: 48, warm: 150 };
/** Each of its servers costs a second of CPU. */
const NOVAS: Counts = { alone: 0, together: 8, warm: 16 };

const NOVA_WORDS = ` Nova ran beside it and was asked in turns, for the same actions by the same
requests, ${NOVAS.together} of each; its ends are seen by polling every 200 ms, whose CPU was measured apart and is taken off. "–": Nova's fake
hosts, or Nova, do not do it; what needs Block Storage is not asked of it.`;

interface Costs {
  readonly alone: Batch;
  readonly together: Batch;
}

interface Row extends Costs {
  readonly kind: string;
  /** Undefined when it was not measured, or did not succeed there. */
  readonly nova: Batch | undefined;
}

const { values } = parseArgs({
  options: { kinds: { type: "string", default: "" }, "beside-nova": { type: "string" } },
});
const besideNova = values["beside-nova"];
const wanted = values.kinds.split(",").filter(Boolean);
const ofServers = catalogue.all.filter(
  (one) => subjectOf(one) === "server" && (wanted.length === 0 || wanted.includes(one.kind)),
);
const rows: Row[] = [];
const unmeasured: string[] = [];
const peer = besideNova === undefined ? undefined : new ActionCloud(await nova(besideNova));
const cloud = new ActionCloud(await kilonova(20_500));
try {
  await cloud.remove((await cloud.boot(OURS.warm, AT_ONCE)).ids);
  await peer?.remove((await peer.boot(NOVAS.warm, AT_ONCE)).ids);
  for (const one of ofServers) {
    const costs = await costsOf(cloud, one, OURS).catch((error: unknown) => {
      console.error(`${one.kind}: ${String(error)}`);
    });
    if (!costs) {
      unmeasured.push(one.kind);
      continue;
    }
    const row = { kind: one.kind, ...costs, nova: await peerCosts(one) };
    rows.push(row);
    console.log(lineOf(row));
    // After each: what was measured is kept when the rest is not waited for.
    write(section());
  }
} finally {
  await cloud.stop();
  await peer?.stop();
}
write(section());

/** What Nova refuses, or its fake hosts cannot do, is said and left out. */
async function peerCosts(one: OperationDeclaration): Promise<Batch | undefined> {
  if (peer === undefined) return undefined;
  try {
    return (await costsOf(peer, one, NOVAS))?.together;
  } catch (error) {
    console.error(`${one.kind} with Nova: ${String(error)}`);
    return undefined;
  }
}

/** @returns undefined when it cannot be asked for there */
async function costsOf(
  at: ActionCloud,
  one: OperationDeclaration,
  counts: Counts,
): Promise<Costs | undefined> {
  if (one.kind === "server.boot") return boots(at, counts);
  return at.canAct(one) ? actions(at, one, counts) : undefined;
}

async function boots(at: ActionCloud, counts: Counts): Promise<Costs> {
  const alone = await at.boot(counts.alone, 1);
  const together = await at.boot(counts.together, AT_ONCE);
  await at.remove([...alone.ids, ...together.ids]);
  return { alone: alone.batch, together: together.batch };
}

/** New servers, brought to a state from which it starts. */
async function actions(at: ActionCloud, one: OperationDeclaration, counts: Counts): Promise<Costs> {
  const { ids } = await at.boot(counts.alone + counts.together, AT_ONCE);
  try {
    const attached = catalogue.all.filter(({ kind }) => WITH_VOLUME[one.kind]?.includes(kind));
    for (const before of [...wayTo(one, catalogue.all), ...attached]) await at.act(before, ids, AT_ONCE);
    const alone = await at.act(one, ids.slice(0, counts.alone), 1);
    const together = await at.act(one, ids.slice(counts.alone), AT_ONCE);
    return { alone, together };
  } finally {
    await at.remove(ids);
  }
}

function cells({ samples, cpuMsEach }: Batch): string[] {
  const p50 = (of: (sample: Batch["samples"][number]) => number): string =>
    median(samples.map(of), (ms) => ms).toFixed(1);
  return [p50(({ answerMs }) => answerMs), p50(({ endMs }) => endMs), cpuMsEach.toFixed(1)];
}

function lineOf({ kind, alone, together, nova: theirs }: Row): string {
  const beside = besideNova === undefined ? [] : novaCells(together, theirs);
  return `| \`${kind}\` | ${[...cells(alone), ...cells(together), ...beside].join(" | ")} |`;
}

/** End and CPU there, and which part of its CPU ours is. */
function novaCells(ours: Batch, theirs: Batch | undefined): string[] {
  if (theirs === undefined) return ["–", "–", "–"];
  const [, end = "", cpu = ""] = cells(theirs);
  return [end, cpu, `1/${(theirs.cpuMsEach / ours.cpuMsEach).toFixed(0)}`];
}

function section(): string {
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? "unknown CPU"}, Node ${process.versions.node}`;
  return `${HEADING}
What each action on a server costs on fake hosts, measured by \`npm run bench:actions\` at commit ${commit.trim()} on ${machine}: the middle of ${OURS.alone} one after the
other, and of ${OURS.together} on other servers, ${AT_ONCE} at a time. *Answer* is the REST request, *end* from the request until the operation
has ended, both p50 in ms. *CPU* is that of all processes, PostgreSQL and the daemons of volumes included, per action in ms, with the two calls
by which the end is awaited; some more where Block Storage, which is asked for \`server.extend-volume\`, has to begin it.${besideNova === undefined ? "" : NOVA_WORDS}

| kind | answer | end | CPU | answer, ${AT_ONCE} | end, ${AT_ONCE} | CPU, ${AT_ONCE} |${besideNova === undefined ? "" : ` Nova's end, ${AT_ONCE} | Nova's CPU, ${AT_ONCE} | of Nova |`}
|---|---|---|---|---|---|---|${besideNova === undefined ? "" : "---|---|---|"}
${rows.map(lineOf).join("\n")}
${unmeasured.length === 0 ? "" : `\nNot measured: ${unmeasured.map(whyNot).join("; ")}.\n`}`;
}

function whyNot(kind: string): string {
  const why = UNASKED[kind];
  return `\`${kind}\`${why === undefined ? "" : `: ${why}`}`;
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
