// Runs a suite's files in lanes: processes side by side, each of which takes the next file when it is done
// with one, so that what waits leaves its processor to the other.
import { fork } from "node:child_process";
import { appendFileSync, closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../paths.mjs";

/**
 * Runs all files, the quiet ones last and alone. What a file prints is shown in one piece when it has ended.
 * A lane that dies fails the file it was at, and another one goes on with the next.
 * @param suite.config   mocha's configuration file
 * @param suite.files    relative to the project, in the order in which they are begun
 * @param suite.quiet    files that want the machine to themselves
 * @param suite.lanes    how many files run at once
 * @param suite.folder   for what the lanes print until it is shown
 * @param suite.counts   where outcomes are appended, as the counting reporter does
 * @returns whether all went well, and how long each file took
 */
export async function runInLanes(suite) {
  const run = { ...suite, ok: true, times: [] };
  const queue = [...suite.files];
  await Promise.all(Array.from({ length: suite.lanes }, (_, at) => drain(run, queue, at + 1)));
  await drain(run, [...suite.quiet], 1);
  return { ok: run.ok, times: run.times };
}

/** One lane's work: file after file until the queue is empty. */
async function drain(run, queue, number) {
  let lane;
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    lane ??= new Lane(run, number);
    console.log(`▶ ${file}`);
    const startedMs = performance.now();
    const result = await lane.run(file);
    const seconds = (performance.now() - startedMs) / 1000;
    run.times.push({ file, seconds });
    if (result.failures !== 0) run.ok = false;
    process.stdout.write(`\n■ ${file} (${seconds.toFixed(0)} s)\n${lane.printed()}`);
    if (result.error !== undefined) {
      console.log(result.error);
      noteFailure(run.counts, file, result.error);
    }
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

const noteFailure = (counts, title, error) =>
  appendFileSync(
    counts,
    `${JSON.stringify({ passes: 0, failures: 1, skipped: [], failed: [{ title, error, told: [] }], tests: [] })}\n`,
  );

/** A process that runs one file at a time. */
class Lane {
  #child;
  #exit;
  #ready;
  #path;
  #output;
  #shown = 0;

  constructor({ config, folder, counts, env }, number) {
    this.#path = join(folder, `lane-${number}-${Date.now()}`);
    // A file takes everything in order, also from the lane's children, and keeps what a dying lane has said.
    this.#output = openSync(this.#path, "a");
    // What is ours to know, programs that tests start would refuse as an option that they do not have: hence
    // also a name without their prefix.
    const { KILONOVA_TEST_LANES: _, ...rest } = process.env;
    this.#child = fork(join(import.meta.dirname, "lane.mjs"), [config], {
      cwd: root,
      env: { ...rest, ...env, KILONOVA_TEST_COUNTS: counts, TEST_LANE: String(number) },
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

  /** @returns failures; `died` when the lane did not survive the file */
  async run(file) {
    const ready = await this.#ready;
    if (ready.died) return ready;
    const answer = this.#answer();
    this.#child.send({ file }, () => {});
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
