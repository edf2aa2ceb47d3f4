import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../testkit/scratch.js";
import { until } from "../../testkit/until.js";
import { openFileDestination } from "./file.js";

describe("a log file", () => {
  const folder = scratchFolder("log");

  it("takes no more room than it is given, however much is written, and keeps the newest lines", async () => {
    const path = join(folder(), "k.log");
    const log = openFileDestination(path, { maxBytes: 1_000, kept: 2 });
    const line = (n: number): string => `${String(n).padStart(99, " ")}\n`;
    for (let n = 0; n < 105; n++) {
      log.write(line(n));
      log.flush();
      // Each line is written for itself, as under a steady stream.
      await until(() => lines(folder()).some((text) => text === line(n).trim()), { what: `line ${n}` });
    }
    await log.close();
    assert.deepEqual(readdirSync(folder()).sort(), ["k.log", "k.log.1", "k.log.2"]);
    const sizes = readdirSync(folder()).map((name) => statSync(join(folder(), name)).size);
    assert.ok(sizes.reduce((a, b) => a + b) <= 3_000, sizes.join(" "));
    assert.ok(lines(folder()).includes("104") && lines(folder()).includes("85"));
    for (const name of readdirSync(folder()))
      assert.equal(statSync(join(folder(), name)).mode & 0o777, 0o600);
  });

  it("writes what waits after a while, unasked", async () => {
    const log = openFileDestination(join(folder(), "k.log"), { maxBytes: 1_000_000, kept: 1 });
    log.write("first\n");
    await until(() => lines(folder()).includes("first"), { what: "the first line" });
    await log.close();
  });

  it("writes at once what is flushed, also in the midst of another write", async () => {
    const bounds = { maxBytes: 1_000_000, kept: 1, longestWaitMs: 600_000 };
    const log = openFileDestination(join(folder(), "k.log"), bounds);
    for (let n = 0; n < 20; n++) log.write(`quiet ${n}\n`);
    await until(() => readdirSync(folder()).length === 1, { what: "the file" });
    assert.deepEqual(lines(folder()), [], "few lines wait for more");
    log.flush();
    log.write("urgent\n");
    log.flush();
    await until(() => lines(folder()).includes("urgent"), { what: "the urgent line" });
    assert.equal(lines(folder()).length, 21);
    await log.close();
  });

  it("writes all that is flushed, though it takes several writes and nothing follows", async () => {
    const bounds = { maxBytes: 1_000_000, kept: 1, longestWaitMs: 600_000 };
    const log = openFileDestination(join(folder(), "k.log"), bounds);
    for (let n = 0; n < 17; n++) log.write(`${"x".repeat(1_023)}\n`);
    log.write("urgent\n");
    log.flush();
    await until(() => lines(folder()).includes("urgent"), { what: "the urgent line" });
    await log.close();
  });

  it("lets the process go on, and end, where nothing can be written", async () => {
    for (const path of ["/dev/full", folder()]) {
      const program = `
        import { openFileDestination } from ${JSON.stringify(join(import.meta.dirname, "file.ts"))};
        const log = openFileDestination(${JSON.stringify(path)}, { maxBytes: 1e6, kept: 1, longestWaitMs: 20 });
        for (let n = 0; n < 100; n++) log.write("x".repeat(1_000) + "\\n");
        log.flush();
        setTimeout(() => { log.write("more\\n"); log.flush(); process.exit(7); }, 200);`;
      const args = ["--import", "tsx", "--input-type=module", "--eval", program];
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", timeout: 20_000 });
      assert.equal(status, 7, stderr);
      assert.match(stderr, /cannot be written/);
    }
  });
});

const lines = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .map((text) => text.trim())
      .filter(Boolean),
  );
