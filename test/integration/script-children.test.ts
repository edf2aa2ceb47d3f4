import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../pkg/testkit/until.js";
import { identify } from "../../pkg/compute/drivers/host/linux-process.js";
import { packageRoot } from "../../pkg/platform/service/index.js";

const lives = (pid: number): boolean => identify(pid) !== undefined;

describe("scripts that end with their children", function () {
  this.timeout(60_000);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-children-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /**
   * A script whose child has made a session of its own and written both numbers to files. @param trap what
   * the innermost does on SIGTERM
   */
  const start = async (trap: string): Promise<{ script: ChildProcess; pids: readonly number[] }> => {
    const inner = `trap '${trap}' TERM; echo $$ > ${dir}/inner; while :; do sleep 0.05; done`;
    const outer = `setsid bash -c "${inner.replaceAll("$", "\\$")}" & echo $$ > ${dir}/outer; wait`;
    const program = `import { endWithChildren, runGroup } from ${JSON.stringify(join(packageRoot(), "scripts/lib/children.mjs"))}; endWithChildren(); await runGroup("bash", ["-c", ${JSON.stringify(outer)}], {});`;
    const script = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: "ignore" });
    const read = (name: string): number => {
      try {
        return Number(readFileSync(join(dir, name), "utf8"));
      } catch {
        return 0;
      }
    };
    await until(() => read("inner") > 0 && read("outer") > 0, { what: "the children to run" });
    return { script, pids: [read("inner"), read("outer")] };
  };

  it("end everything below them, also what left their process group", async () => {
    const { script, pids } = await start("exit 0");
    script.kill("SIGINT");
    assert.deepEqual(await once(script, "exit"), [130, null]);
    assert.deepEqual(pids.filter(lives), []);
  });

  it("do not wait for the deaf once they are told twice", async () => {
    const { script, pids } = await start(":");
    const startedMs = performance.now();
    script.kill("SIGTERM");
    await until(() => !lives(pids[1] ?? 0), { what: "the polite one to end" });
    script.kill("SIGTERM");
    assert.deepEqual(await once(script, "exit"), [143, null]);
    assert.ok(performance.now() - startedMs < 4_000, "it waited for the whole grace");
    assert.deepEqual(pids.filter(lives), []);
  });
});
