// Which files a suite has, in which order they are begun, and how many of them at once.
import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { root } from "../paths.mjs";
import { runInLanes } from "./lanes.mjs";

/** More lanes want more memory: each may hold a cloud with its guests. */
const MOST_LANES = 2;
const SLOWEST = 10;

/**
 * Runs all test files that the `spec` of a mocha configuration names, and prints which took longest.
 * `test/lanes.json` names those that begin early, and says why some want the machine to themselves.
 * @param config          relative to the project
 * @param options.counts  where outcomes are appended
 * @param options.folder  for what lanes print until it is shown
 * @param options.env     more for the lanes' environment
 * @returns whether all went well
 */
export async function runSuite(config, { counts, folder, env }) {
  const { spec } = JSON.parse(readFileSync(join(root, config), "utf8"));
  const { early, quiet } = JSON.parse(readFileSync(join(root, "test", "lanes.json"), "utf8"));
  const all = [...new Set(spec.flatMap(filesOf))].sort();
  if (all.length === 0) throw new Error(`${config} names no test files.`);
  // What takes long is not left for the end, where the other lanes would have nothing to do.
  const inOrder = [
    ...early.filter((file) => all.includes(file)),
    ...all.filter((file) => !early.includes(file)),
  ];
  const { ok, times } = await runInLanes({
    config,
    files: inOrder.filter((file) => !(file in quiet)),
    quiet: inOrder.filter((file) => file in quiet),
    lanes: lanes(),
    folder,
    counts,
    env,
  });
  const slowest = times.sort((a, b) => b.seconds - a.seconds).slice(0, SLOWEST);
  console.log(`\nslowest: ${slowest.map(({ file, seconds: s }) => `${file} ${s.toFixed(0)} s`).join(", ")}`);
  return ok;
}

/** As many as processors, at most MOST_LANES; `KILONOVA_TEST_LANES` says otherwise. */
function lanes() {
  const text = process.env.KILONOVA_TEST_LANES;
  if (text === undefined) return Math.min(MOST_LANES, availableParallelism());
  if (!/^[1-4]$/.test(text)) throw new Error("KILONOVA_TEST_LANES must be a number from 1 to 4.");
  return Number(text);
}

function filesOf(pattern) {
  const [, folder, ending] = /^([^*]+)\/\*\*\/\*(\.[^*]+)$/.exec(pattern) ?? [];
  if (folder === undefined) throw new Error(`The pattern ${pattern} is not of the form folder/**/*.ending.`);
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}
