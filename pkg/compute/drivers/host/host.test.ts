import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError, rootCtx } from "../../../kernel/index.js";
import { withoutFiles } from "../../../testkit/without-files.js";
import { identify, isSameProcess, listProcesses, signalProcess, spawnDetached } from "./linux-process.js";
import { plain } from "./command.js";
import { runTool } from "./run-tool.js";

const ctx = rootCtx({ requestId: "req-host" });

describe("processes of the host", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-host-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("knows its own child again, by number, start and arguments", async () => {
    const { identity, exited } = await spawnDetached(plain(["sleep", "611"]), join(dir, "log"));
    assert.ok(isSameProcess(identity, ["611"]));
    assert.ok(!isSameProcess(identity, ["612"]));
    assert.ok(!isSameProcess({ ...identity, startTicks: "1" }, ["611"]));
    assert.ok(!isSameProcess({ ...identity, bootId: "another" }, ["611"]));
    assert.equal(signalProcess({ ...identity, startTicks: "1" }, ["611"], "SIGKILL"), false);
    assert.ok(listProcesses().some((p) => p.pid === identity.pid && p.args.has("611")));
    assert.equal(signalProcess(identity, ["611"], "SIGKILL"), true);
    assert.deepEqual(await exited, { code: null, signal: "SIGKILL" });
    assert.equal(identify(identity.pid), undefined);
  });

  it("does not take a process for ended because nothing can be read", async function () {
    this.timeout(60_000);
    const here = new URL("linux-process.ts", import.meta.url);
    const own = identify(process.pid);
    assert.deepEqual(await withoutFiles(here, "isSameProcess", [own, []]), { code: "EMFILE" });
    assert.deepEqual(await withoutFiles(here, "identify", [process.pid]), { code: "EMFILE" });
  });

  it("gives a child a session of its own and nothing of the agent's environment", async () => {
    process.env["KILONOVA_TEST_SECRET"] = "s3cret";
    const { exited } = await spawnDetached(
      plain(["sh", "-c", "env; cut -d' ' -f1,6 /proc/self/stat; echo $$"]),
      join(dir, "log"),
    );
    delete process.env["KILONOVA_TEST_SECRET"];
    await exited;
    const output = readFileSync(join(dir, "log"), "utf8").trim().split("\n");
    assert.ok(!output.some((line) => line.includes("s3cret")));
    assert.equal(output.at(-2)?.split(" ")[1], output.at(-1));
  });

  it("says when a program does not exist", async () => {
    await assert.rejects(spawnDetached(plain(["/no/such/program"]), join(dir, "log")), /ENOENT/);
  });

  it("runs tools to their end, or ends them", async () => {
    assert.equal(await runTool(ctx, ["echo", "hi"], { timeoutMs: 5_000, within: plain }), "hi\n");
    const failed =
      (why: RegExp) =>
      (e: unknown): boolean =>
        e instanceof KilonovaError && e.reason === "TOOL_FAILED" && why.test(String(e.cause));
    await assert.rejects(
      runTool(ctx, ["sh", "-c", "echo bad >&2; exit 3"], { timeoutMs: 5_000, within: plain }),
      failed(/exit 3: bad/),
    );
    await assert.rejects(
      runTool(ctx, ["sleep", "60"], { timeoutMs: 20, within: plain }),
      failed(/timed out/),
    );
    await assert.rejects(
      runTool(ctx, ["/no/such/tool"], { timeoutMs: 5_000, within: plain }),
      failed(/ENOENT/),
    );
    const caller = new AbortController();
    const call = runTool({ ...ctx, signal: caller.signal }, ["sleep", "60"], {
      timeoutMs: 5_000,
      within: plain,
    });
    caller.abort();
    await assert.rejects(call, failed(/cancelled/));
  });

  it("limits what a tool may write", async () => {
    await assert.rejects(
      runTool(ctx, ["truncate", "-s", "2M", join(dir, "big")], {
        timeoutMs: 5_000,
        within: plain,
        limits: { addressSpaceBytes: 1024 ** 3, cpuSeconds: 5, fileBytes: 1024 ** 2 },
      }),
    );
  });
});
