import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ifAlive, ifAliveSync, ifThere, ifThereSync } from "./index.js";

const failing = (code: string) => (): never => {
  throw Object.assign(new Error(code), { code });
};

describe("what may be absent", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-if-there-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is given when it is there, and undefined when it is not", async () => {
    writeFileSync(join(dir, "f"), "text");
    assert.equal(await ifThere(readFile(join(dir, "f"), "utf8")), "text");
    assert.equal(await ifThere(readFile(join(dir, "g"), "utf8")), undefined);
    assert.equal(
      ifThereSync(() => readFileSync(join(dir, "g"))),
      undefined,
    );
  });

  it("is not taken for absent because it cannot be read", async () => {
    await assert.rejects(ifThere(readFile(dir)), { code: "EISDIR" });
    for (const code of ["EIO", "EMFILE", "EACCES", "ESRCH"]) {
      assert.throws(() => ifThereSync(failing(code)), { code });
      await assert.rejects(ifThere((async () => failing(code)())()), { code });
    }
  });

  it("has ended as a process when the kernel says so", async () => {
    assert.equal(ifAliveSync(failing("ESRCH")), undefined);
    assert.equal(await ifAlive((async () => failing("ESRCH")())()), undefined);
    for (const code of ["EMFILE", "EACCES"]) {
      assert.throws(() => ifAliveSync(failing(code)), { code });
      await assert.rejects(ifAlive((async () => failing(code)())()), { code });
    }
  });
});
