import assert from "node:assert/strict";
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { OperationKind } from "../../pkg/conductor/engine/kind.js";
import { databaseOf, forget } from "./databases.js";
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

/** Packages that read files of their own beside their code. */
const BESIDE_THEIR_FILES = [
  ...["@grpc/grpc-js", "@grpc/proto-loader", "@grpc/reflection", "grpc-health-check"],
  "pg-native",
];

/**
 * The child as one file, packages included: each point starts one, and starts in half the time when it need
 * not look for a thousand files, and in a third less without their source map. A change to the sources does
 * not reach a running matrix.
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
      external: BESIDE_THEIR_FILES,
      // What packages of the older kind expect to be there.
      banner: {
        js: `import { createRequire as requireFrom } from "node:module";
const require = requireFrom(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`,
      },
      logLevel: "error",
    });
    process.on("exit", () => rmSync(outfile, { force: true }));
    return outfile;
  })());

/** A fresh database and a fresh folder. */
export async function newPlace(scenario: Scenario, label: string): Promise<Place> {
  return { label, connection: await databaseOf(scenario), folder: processFolder("crash") };
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
    const child = fork(await childBundle(), [], {
      execArgv: [],
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
 * process, which then dies at a further point. Every end state must equal the undisturbed one. As many chains
 * of processes as there are processors (at most MOST_CHAINS) share the points; each point has databases and a
 * folder of its own.
 * @param failing  the operations fail in the end and are undone
 * @returns how many points were tried
 */
export async function runMatrix(
  scenario: Scenario,
  points: readonly CrashAt[],
  failing: boolean,
  report: (line: string) => void,
): Promise<number> {
  const matrix = new Matrix(scenario, points, failing, report);
  const chains = Math.min(MOST_CHAINS, availableParallelism(), points.length);
  const ends = await Promise.allSettled(Array.from({ length: chains }, () => matrix.chain()));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return matrix.tried;
}

/** More would only wait for each other: a chain keeps its process and PostgreSQL at work. */
const MOST_CHAINS = 2;

class Matrix {
  readonly #scenario: Scenario;
  readonly #left: CrashAt[];
  readonly #failing: boolean;
  readonly #report: (line: string) => void;
  readonly #undisturbed = new Map<string, Promise<unknown>>();
  tried = 0;

  constructor(
    scenario: Scenario,
    points: readonly CrashAt[],
    failing: boolean,
    report: (line: string) => void,
  ) {
    this.#scenario = scenario;
    this.#left = [...points];
    this.#failing = failing;
    this.#report = report;
  }

  /** Tries points until none is left. A failure lets no chain begin another one. */
  async chain(): Promise<void> {
    let child = await Child.start();
    try {
      for (let crash = this.#left.shift(); crash !== undefined; crash = this.#left.shift()) {
        const expected = await this.#stateUndisturbed(child, crash.kind);
        child = await this.#tryPoint(child, crash, expected);
        this.tried++;
      }
    } catch (error) {
      this.#left.length = 0;
      throw error;
    } finally {
      await child.end();
    }
  }

  /** How the kind ends when nothing dies: run by the first chain that asks. */
  #stateUndisturbed(child: Child, kind: string): Promise<unknown> {
    const known = this.#undisturbed.get(kind);
    if (known !== undefined) return known;
    const state = (async () => {
      const { name } = this.#scenario;
      const place = await newPlace(this.#scenario, kind);
      const order = { do: "run", place, scenario: name, kind, failing: this.#failing } as const;
      return stateOf(await child.order(order), `${kind} undisturbed`);
    })();
    this.#undisturbed.set(kind, state);
    return state;
  }

  /** @returns the process that has recovered */
  async #tryPoint(child: Child, crash: CrashAt, expected: unknown): Promise<Child> {
    const { kind, step, when, nth } = crash;
    const failing = this.#failing;
    const label = `${kind}/${step}/${when}/${nth ?? 1}`;
    const place = await newPlace(this.#scenario, label);
    const scenario = this.#scenario.name;
    const answer = await child.order({ do: "run", place, scenario, kind, failing, crash });
    assert.equal(
      answer,
      undefined,
      `${label}: should have died. Has the step ${failing ? "failed" : "ended"} at all? ${JSON.stringify(answer)}`,
    );
    const next = await Child.start();
    try {
      const state = stateOf(await next.order({ do: "recover", place, scenario }), label);
      assert.deepEqual(state, expected, `${label}: ends differently from the undisturbed run`);
    } catch (error) {
      await next.end();
      throw error;
    }
    await forget(place.connection);
    this.#report(`  killed ${label}`);
    return next;
  }
}
