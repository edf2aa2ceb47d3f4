import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../kernel/errors.js";
import { withoutFiles } from "../../testkit/without-files.js";
import { lockFile, startOf } from "./lock-file.js";

describe("lockFile", () => {
  let dir: string;
  let path: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "kilonova-lock-"));
    path = join(dir, "lock");
  });
  afterEach(() => rm(dir, { recursive: true }));
  const taken = (error: unknown): boolean =>
    error instanceof KilonovaError &&
    error.reason === "ALREADY_RUNNING" &&
    error.facts["pid"] === String(process.pid);

  it("is held by one at a time and free after its release", async () => {
    const lock = await lockFile(path);
    await assert.rejects(lockFile(path), taken);
    await lock.release();
    const next = await lockFile(path);
    await assert.rejects(lockFile(path), taken);
    await next.release();
    assert.equal((await readdir(dir)).length, 1);
  });

  it("is taken over from a dead process, and from a number that was given to another", async () => {
    for (const stale of [
      { pid: 2 ** 22 + 1, started: "1" },
      { pid: process.pid, started: "1" },
    ]) {
      await writeFile(`${path}.7`, JSON.stringify(stale));
      const lock = await lockFile(path);
      assert.deepEqual(await readdir(dir), ["lock.8"]);
      await lock.release();
      await rm(`${path}.8`);
    }
  });

  it("is taken over when half written", async () => {
    await writeFile(`${path}.1`, '{"pid":');
    await lockFile(path);
    assert.equal((JSON.parse(await readFile(`${path}.2`, "utf8")) as { pid: number }).pid, process.pid);
  });

  it("is not taken over because nobody can read whose it is", async function () {
    this.timeout(60_000);
    await mkdir(`${path}.1`);
    await assert.rejects(lockFile(path), { code: "EISDIR" });
    assert.deepEqual(await readdir(dir), ["lock.1"]);
    const here = new URL("lock-file.ts", import.meta.url);
    assert.deepEqual(await withoutFiles(here, "startOf", [process.pid]), { code: "EMFILE" });
  });

  it("goes to exactly one of many that find it stale at the same time", async () => {
    for (let round = 1; round <= 20; round++) {
      await writeFile(`${path}.${round * 100}`, JSON.stringify({ pid: process.pid, started: "1" }));
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockFile(path)));
      assert.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    }
  });

  it("knows living from dead processes", async () => {
    assert.match((await startOf(process.pid)) ?? "", /^\d+$/);
    assert.equal(await startOf(2 ** 22 + 1), undefined);
  });
});
