// Runs a suite's files in lanes: processes side by side, each of which takes the next file when it is done
// with one, so that what waits leaves its processor to the other.
import { fork } from "node:child_process";
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";

/** More files than this do not fail by chance. */
const MOST_AGAIN = 3;

/**
 * Runs all files, the quiet ones last and alone. What a file prints is shown in one piece when it has ended.
 * A lane that dies fails the file it was at, and another one goes on with the next.
 *
 * At the end a few failed files run once more, alone: a machine that stood still for a while makes tests with
 * real guests fail. What passes then has passed, and its outcomes say that it was `unsteady`, and why.
 * @param suite.config   mocha's configuration file
 * @param suite.files    relative to the project, in the order in which they are begun
 * @param suite.quiet    files that want the machine to themselves
 * @param suite.lanes    how many files run at once
 * @param suite.folder   for what the lanes print until it is shown
 * @param suite.counts   where outcomes are appended, as the counting reporter does
 * @param suite.again    `seconds` that files may take to run once more; what they took is taken off
 * @returns whether all went well, and how long each file took
 */
export async function runInLanes(suite) {
  const run = { again: { seconds: 0 }, ...suite, ok: true, times: [], failed: [] };
  const queue = [...suite.files];
  await Promise.all(Array.from({ length: suite.lanes }, (_, at) => drain(run, queue, at + 1)));
  await drain(run, [...suite.quiet], 1);
  await runAgain(run);
  return { ok: run.ok, times: run.times };
}

/** One lane's work: file after file until the queue is empty. */
async function drain(run, queue, number) {
  let lane;
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    lane ??= new Lane(run, number);
    const counts = join(run.folder, `counts-${number}`);
    rmSync(counts, { force: true });
    console.log(`▶ ${file}`);
    const startedMs = performance.now();
    const result = await lane.run(file, counts);
    const seconds = (performance.now() - startedMs) / 1000;
    run.times.push({ file, seconds });
    process.stdout.write(`\n■ ${file} (${seconds.toFixed(0)} s)\n${lane.printed()}`);
    if (result.error !== undefined) {
      console.log(result.error);
      noteFailure(counts, file, result.error);
    }
    const outcome = existsSync(counts) ? readFileSync(counts, "utf8") : "";
    if (result.failures === 0) appendFileSync(run.counts, outcome);
    else run.failed.push({ file, seconds, outcome });
    if (!result.died) continue;
    lane.close();
    lane = undefined;
  }
  if (lane === undefined) return;
  const wrong = await lane.end();
  process.stdout.write(lane.printed());
  lane.close();
  if (wrong === undefined) return;
  run.ok = false;
  noteFailure(run.counts, `lane ${number}, after its last file`, wrong);
}

/** Gives what failed its second try, when that is little, and notes how it ended. */
async function runAgain(run) {
  const first = run.failed;
  if (first.length === 0) return;
  const seconds = first.reduce((sum, one) => sum + one.seconds, 0);
  if (first.length <= MOST_AGAIN && seconds <= run.again.seconds) {
    console.log(`\nOnce more, alone: ${first.map(({ file }) => file).join(", ")}`);
    run.failed = [];
    const startedMs = performance.now();
    await drain(
      run,
      first.map(({ file }) => file),
      1,
    );
    run.again.seconds -= (performance.now() - startedMs) / 1000;
    for (const { file, outcome } of first)
      if (!run.failed.some((one) => one.file === file)) noteUnsteady(run.counts, outcome);
  }
  if (run.failed.length > 0) run.ok = false;
  for (const { outcome } of run.failed) appendFileSync(run.counts, outcome);
}

const nothing = { passes: 0, failures: 0, skipped: [], failed: [], tests: [] };

function noteFailure(counts, title, error) {
  const failed = [{ title, error, told: [] }];
  appendFileSync(counts, `${JSON.stringify({ ...nothing, failures: 1, failed })}\n`);
}

/** What failed at first in a file that passed then. */
function noteUnsteady(counts, outcome) {
  const unsteady = outcome
    .split("\n")
    .filter(Boolean)
    .flatMap((line) => JSON.parse(line).failed);
  appendFileSync(counts, `${JSON.stringify({ ...nothing, unsteady })}\n`);
}

/** A process that runs one file at a time. */
class Lane {
  #child;
  #exit;
  #ready;
  #path;
  #output;
  #shown = 0;

  constructor({ config, folder, env }, number) {
    this.#path = join(folder, `lane-${number}-${Date.now()}`);
    // A file takes everything in order, also from the lane's children, and keeps what a dying lane has said.
    this.#output = openSync(this.#path, "a");
    // What is ours to know, programs that tests start would refuse as an option that they do not have: hence
    // also a name without their prefix.
    const { KILONOVA_TEST_LANES: _, ...rest } = process.env;
    this.#child = fork(join(import.meta.dirname, "lane.mjs"), [config], {
      cwd: root,
      env: { ...rest, ...env, TEST_LANE: String(number) },
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", this.#output, this.#output, "ipc"],
      // A Ctrl-C reaches it only through us.
      detached: true,
    });
    this.#exit = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(error.message));
      this.#child.once("exit", (code, signal) => resolve(code === 0 ? undefined : String(signal ?? code)));
    });
    this.#ready = this.#answer();
  }

  /**
   * @param counts  where the outcomes of the file go
   * @returns failures; `died` when the lane did not survive the file
   */
  async run(file, counts) {
    const ready = await this.#ready;
    if (ready.died) return ready;
    const answer = this.#answer();
    this.#child.send({ file, counts }, () => {});
    return answer;
  }

  /** The next thing it says, or that it has died instead. */
  #answer() {
    const said = new Promise((resolve) => this.#child.once("message", resolve));
    const died = this.#exit.then((how) => ({
      died: true,
      failures: 1,
      error: `its process ended in the middle (${how ?? "exit 0"})`,
    }));
    return Promise.race([said, died]);
  }

  /** What it has printed since the last time. */
  printed() {
    const all = readFileSync(this.#path);
    const text = all.subarray(this.#shown).toString();
    this.#shown = all.length;
    return text;
  }

  /** @returns what went wrong at its end */
  async end() {
    if (this.#child.connected) this.#child.disconnect();
    const how = await this.#exit;
    return how === undefined ? undefined : `its process ended with ${how}`;
  }

  close() {
    closeSync(this.#output);
  }
}
