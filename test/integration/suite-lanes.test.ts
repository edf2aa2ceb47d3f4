import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { packageRoot } from "../../pkg/platform/service/index.js";
import { scratchFolder } from "../../pkg/testkit/scratch.js";
import { readOutcomes } from "../findings/runs.js";

/** What `runInLanes` came to, and what was seen of it. */
interface Run {
  readonly ok: boolean;
  readonly files: readonly string[];
  readonly printed: string;
}

/** What the counting reporter or a lane's parent has noted, all lines together. */
interface Counts {
  readonly passes: number;
  readonly failed: readonly { readonly title: string; readonly error: string }[];
  readonly skipped: readonly string[];
}

describe("the lanes of a suite", function () {
  this.timeout(120_000);
  const folder = scratchFolder("lanes");
  const counts = (): string => join(folder(), "counts");

  /** A file of tests. @returns its path */
  const written = (name: string, text: string): string => {
    const path = join(folder(), `${name}.test.mjs`);
    writeFileSync(path, text);
    return path;
  };

  async function run(options: {
    readonly files: readonly string[];
    readonly quiet?: readonly string[];
    readonly lanes?: number;
  }): Promise<Run> {
    const config = join(folder(), "mocharc.json");
    writeFileSync(config, JSON.stringify({ timeout: 30_000, forbidOnly: true }));
    const given = { quiet: [], lanes: 2, ...options, config, folder: folder(), counts: counts() };
    const lanes = JSON.stringify(join(packageRoot(), "scripts/lib/lanes/lanes.mjs"));
    const program = `import { runInLanes } from ${lanes};
      const { ok, times } = await runInLanes(${JSON.stringify(given)});
      console.error(JSON.stringify({ ok, files: times.map(({ file }) => file) }));`;
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith("KILONOVA_")),
    );
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module", "-e", program],
      { env: { ...env, KILONOVA_TEST_LANES: "2" } },
    );
    return { ...(JSON.parse(stderr) as Pick<Run, "ok" | "files">), printed: stdout };
  }

  const counted = (): Counts => {
    const lines = readFileSync(counts(), "utf8").trim().split("\n");
    const all = lines.map((line) => JSON.parse(line) as Counts);
    return {
      passes: all.reduce((sum, { passes }) => sum + passes, 0),
      failed: all.flatMap(({ failed }) => failed),
      skipped: all.flatMap(({ skipped }) => skipped),
    };
  };

  it("run files side by side, and show what each prints in one piece", async () => {
    // Each waits until the other has begun: one after the other they would never end.
    const met = (mine: string, others: string): string => `
      import { existsSync, writeFileSync } from "node:fs";
      it("${mine} meets ${others}", async () => {
        console.log("${mine} begins");
        writeFileSync(${JSON.stringify(folder())} + "/${mine}", "");
        while (!existsSync(${JSON.stringify(folder())} + "/${others}")) await new Promise((go) => setTimeout(go, 20));
        console.log("${mine} ends");
      });`;
    const files = [written("one", met("one", "two")), written("two", met("two", "one"))];
    const { ok, printed } = await run({ files });
    assert.ok(ok);
    assert.match(printed, /one begins\none ends/);
    assert.match(printed, /two begins\ntwo ends/);
    assert.equal(counted().passes, 2);
    assert.deepEqual(
      readOutcomes(counts(), folder())
        .map(({ file, passed }) => [file, passed])
        .sort(),
      [
        ["one.test.mjs", true],
        ["two.test.mjs", true],
      ],
    );
  });

  it("fail with a file whose process dies, and go on with the next ones", async () => {
    const dies = written("dies", `it("dies", () => { console.log("last words"); process.exit(0); });`);
    const others = ["a", "b", "c"].map((name) => written(name, `it("${name} passes", () => {});`));
    const { ok, files, printed } = await run({ files: [dies, ...others] });
    assert.equal(ok, false);
    assert.deepEqual([...files].sort(), [dies, ...others].sort());
    assert.match(printed, /last words\n.*ended in the middle \(exit 0\)/);
    assert.equal(counted().passes, 3);
    assert.deepEqual(
      counted().failed.map(({ title }) => title),
      [dies],
    );
  });

  it("fail with a file that cannot be loaded, and with a test that fails, and name what was skipped", async () => {
    const broken = written("broken", `throw new Error("no such luck");`);
    const fails = written("fails", `it("fails", () => { throw new Error("as asked"); });`);
    const skips = written("skips", `it.skip("is left out", () => {});`);
    const only = written("only", `it.only("is alone", () => {});`);
    assert.equal((await run({ files: [broken] })).ok, false);
    assert.equal((await run({ files: [fails] })).ok, false);
    assert.equal((await run({ files: [only] })).ok, false);
    assert.equal((await run({ files: [skips] })).ok, true);
    const { failed, skipped, passes } = counted();
    assert.equal(passes, 0);
    assert.deepEqual(
      failed.map(({ title }) => title),
      [broken, "fails", only],
    );
    assert.match(failed[0]?.error ?? "", /no such luck/);
    assert.deepEqual(skipped, ["is left out"]);
  });

  it("tell tests which lane it is, in words that no program takes for an option of its own", async () => {
    const said = written(
      "said",
      `it("sees its lane", () => {
         const ours = Object.keys(process.env).filter((name) => name.startsWith("KILONOVA_"));
         if (process.env.TEST_LANE !== "1") throw new Error("lane " + process.env.TEST_LANE);
         if (ours.join() !== "KILONOVA_TEST_COUNTS") throw new Error(ours.join());
       });`,
    );
    assert.equal((await run({ files: [said], lanes: 1 })).ok, true);
  });

  it("keep the machine free for the files that want it to themselves", async () => {
    const log = join(folder(), "log");
    const logs = (name: string, waitMs: number): string =>
      written(
        name,
        `import { appendFileSync } from "node:fs";
         it("${name}", async () => {
           appendFileSync(${JSON.stringify(log)}, "${name} begins ");
           await new Promise((go) => setTimeout(go, ${waitMs}));
           appendFileSync(${JSON.stringify(log)}, "${name} ends ");
         });`,
      );
    const files = [logs("long", 1_500), logs("short", 0)];
    const { ok } = await run({ files, quiet: [logs("first", 100), logs("second", 0)] });
    assert.ok(ok);
    assert.match(readFileSync(log, "utf8"), /long ends (short ends )?first begins first ends second begins/);
  });
});
