import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { cwd } from "node:process";
import { isServing } from "./postmaster.js";

describe("whether a database's process lives", () => {
  it("is what /proc says", async () => {
    assert.equal(await isServing(process.pid, cwd()), true);
    assert.equal(await isServing(process.pid, "/nowhere"), false);
    assert.equal(await isServing(2 ** 22 + 1, cwd()), false);
  });

  it("is never denied for want of a descriptor to look with", async () => {
    // Lowers our own limit to what is open, and raises it again when it hears a line.
    const limits = spawn("sh", [
      "-c",
      `old=$(prlimit --pid ${process.pid} --nofile --raw --noheadings -o SOFT) &&
       prlimit --pid ${process.pid} --nofile=3: && echo low && read _ &&
       prlimit --pid ${process.pid} --nofile=$old: && echo back`,
    ]);
    try {
      await once(limits.stdout, "data");
      assert.throws(() => openSync("/dev/null", "r"), { code: "EMFILE" });
      assert.equal(await isServing(limits.pid ?? 0, cwd()), true);
    } finally {
      const back = once(limits.stdout, "data");
      limits.stdin.write("\n");
      await back;
    }
    closeSync(openSync("/dev/null", "r"));
  });
});
