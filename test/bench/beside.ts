// `npm run bench:beside -- <folder>`: what this checkout's operations cost, relative to another checkout's.
// Both clouds run at once and are asked in turns of a few seconds, because a machine's own speed changes from
// minute to minute; a row is the median of the turns' ratios. The folder needs its packages installed.
import { resolve } from "node:path";
import { MeasuredCloud, OPERATIONS, median } from "./measured-cloud.js";
import type { Operation } from "./measured-cloud.js";

const TURNS = 15;
/** Of an operation's calls in one turn. */
const SHARE = 0.4;

interface Turn {
  readonly ours: number;
  readonly theirs: number;
}

const [folder, only] = process.argv.slice(2);
if (folder === undefined) throw new Error("usage: npm run bench:beside -- <folder> [operation]");
const ours = await MeasuredCloud.start(20_000);
try {
  const theirs = await MeasuredCloud.start(22_000, resolve(folder));
  try {
    console.log("| operation | CPU ms here | there | here / there | quartiles |\n|---|---|---|---|---|");
    for (const [name, operation] of Object.entries<Operation>(OPERATIONS))
      if (only === undefined || name === only) console.log(row(operation, await compare(operation, theirs)));
  } finally {
    await theirs.stop();
  }
} finally {
  await ours.stop();
}

async function compare(operation: Operation, theirs: MeasuredCloud): Promise<readonly Turn[]> {
  for (const cloud of [ours, theirs]) await operation.prepare?.(cloud);
  const turns: Turn[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    // Who comes first changes, so that neither always works in the other's wake.
    const order = turn % 2 === 0 ? [ours, theirs] : [theirs, ours];
    const costs = new Map<MeasuredCloud, number>();
    for (const cloud of order) costs.set(cloud, (await cloud.measure(operation, SHARE)).cpuMsEach);
    turns.push({ ours: costs.get(ours) ?? 0, theirs: costs.get(theirs) ?? 0 });
  }
  return turns;
}

function row({ what }: Operation, turns: readonly Turn[]): string {
  const ratios = turns.map((turn) => turn.ours / turn.theirs).sort((a, b) => a - b);
  const quartiles = [ratios[Math.floor(TURNS / 4)] ?? 0, ratios[Math.floor((TURNS * 3) / 4)] ?? 0];
  const middle = (key: keyof Turn): string => median(turns, (turn) => turn[key])[key].toFixed(2);
  return `| ${[
    what,
    middle("ours"),
    middle("theirs"),
    median(ratios, (one) => one).toFixed(2),
    quartiles.map((one) => one.toFixed(2)).join(" – "),
  ].join(" | ")} |`;
}
