import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { build } from "esbuild";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { OperationKind } from "../../pkg/conductor/engine/kind.js";
import type { Answer, CrashAt, Order, Place } from "./protocol.js";
import type { Scenario } from "./scenario.js";

/** All points of a matrix: every kind, every step, before and after its commit. */
export const pointsOf = (kinds: readonly OperationKind[]): CrashAt[] =>
  kinds.flatMap(({ kind, steps }) =>
    steps.flatMap(({ name }) => (["before", "after"] as const).map((when) => ({ kind, step: name, when }))),
  );

/** All points of failing operations: every step that has an undo, before and after the commit of that. */
export const undoPointsOf = (kinds: readonly OperationKind[]): CrashAt[] =>
  kinds.flatMap(({ kind, steps }) =>
    steps
      .filter(({ undo }) => undo !== undefined)
      .flatMap(({ name }) =>
        (["undo-before", "undo-after"] as const).map((when) => ({ kind, step: name, when })),
      ),
  );

let bundle: Promise<string> | undefined;

/**
 * The child as one file: it starts in a fraction of the time, and a change to the sources does not reach a
 * running matrix.
 */
const childBundle = (): Promise<string> =>
  (bundle ??= (async () => {
    const outfile = join(import.meta.dirname, "../../.cache", `crash-child-${process.pid}.mjs`);
    await build({
      entryPoints: [join(import.meta.dirname, "child.ts")],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      sourcemap: "inline",
      logLevel: "error",
    });
    process.on("exit", () => rmSync(outfile, { force: true }));
    return outfile;
  })());

let places = 0;

/** Fresh databases and a fresh folder. */
export async function newPlace(scenario: Scenario, label: string): Promise<Place> {
  const { connection } = await testCluster();
  const prefix = `crash_${process.pid}_${++places}`;
  const place = {
    label,
    global: `${prefix}_global`,
    cells: { cell0: `${prefix}_cell0`, cell1: `${prefix}_cell1` },
    folder: processFolder("crash"),
  };
  await scenario.prepare(place, connection);
  return place;
}

/** A process of the installation, which may be killed at any time. */
export class Child {
  readonly #process: ChildProcess;
  #dead = false;

  private constructor(child: ChildProcess) {
    this.#process = child;
    child.on("exit", () => {
      this.#dead = true;
    });
  }

  static async start(): Promise<Child> {
    const { connection } = await testCluster();
    const child = fork(await childBundle(), [], {
      execArgv: ["--enable-source-maps"],
      env: { ...process.env, KILONOVA_CRASH_CONNECTION: JSON.stringify(connection) },
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const started = new Child(child);
    await started.#answer();
    return started;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** @returns what it answered, or undefined when it died instead */
  async order(order: Order): Promise<Answer | undefined> {
    this.#process.send(order);
    return this.#answer();
  }

  async #answer(): Promise<Answer | undefined> {
    const exit = once(this.#process, "exit").then(() => undefined);
    const message = once(this.#process, "message").then(([first]) => first as Answer);
    return Promise.race([message, exit]);
  }

  /** Ends it if it still lives. */
  async end(): Promise<void> {
    if (this.#dead) return;
    const exit = once(this.#process, "exit");
    this.#process.disconnect();
    await exit;
  }
}

function stateOf(answer: Answer | undefined, what: string): unknown {
  assert.ok(answer !== undefined, `${what}: the process died where it should not have`);
  assert.ok(answer.said === "ended", `${what}: ${answer.said === "failed" ? answer.error : "no end state"}`);
  return answer.state;
}

/**
 * Runs a matrix: each kind undisturbed once, then dying at each of its points and recovered by the next
 * process, which then dies at the next point. Every end state must equal the undisturbed one.
 * @param failing  the operations fail in the end and are undone
 * @returns how many points were tried
 */
export async function runMatrix(
  scenario: Scenario,
  points: readonly CrashAt[],
  failing: boolean,
  report: (line: string) => void,
): Promise<number> {
  let child = await Child.start();
  const undisturbed = new Map<string, unknown>();
  for (const kind of new Set(points.map((point) => point.kind))) {
    undisturbed.set(
      kind,
      stateOf(
        await child.order({
          do: "run",
          place: await newPlace(scenario, kind),
          scenario: scenario.name,
          kind,
          failing,
        }),
        `${kind} undisturbed`,
      ),
    );
  }
  let tried = 0;
  for (const crash of points) {
    const label = `${crash.kind}/${crash.step}/${crash.when}/${crash.nth ?? 1}`;
    const place = await newPlace(scenario, label);
    const answer = await child.order({
      do: "run",
      place,
      scenario: scenario.name,
      kind: crash.kind,
      failing,
      crash,
    });
    assert.equal(
      answer,
      undefined,
      `${label}: should have died. Has the step ${failing ? "failed" : "ended"} at all? ${JSON.stringify(answer)}`,
    );
    child = await Child.start();
    const state = stateOf(await child.order({ do: "recover", place, scenario: scenario.name }), label);
    assert.deepEqual(
      state,
      undisturbed.get(crash.kind),
      `${label}: ends differently from the undisturbed run`,
    );
    tried++;
    report(`  killed ${label}`);
  }
  await child.end();
  return tried;
}
