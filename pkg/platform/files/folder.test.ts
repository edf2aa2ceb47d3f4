import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFolder } from "./index.js";

describe("state folders", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-folder-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const modeOf = (path: string): number => statSync(join(dir, path)).mode & 0o7777;

  it("have the mode that was asked for, whatever the umask and whoever came before", () => {
    const before = process.umask(0o077);
    try {
      makeFolder(join(dir, "new"), 0o711);
    } finally {
      process.umask(before);
    }
    assert.equal(modeOf("new"), 0o711);
    mkdirSync(join(dir, "open"));
    chmodSync(join(dir, "open"), 0o777);
    makeFolder(join(dir, "open"), 0o700);
    assert.equal(modeOf("open"), 0o700);
  });

  it("do not close what lies above to those who must pass, nor open it to others", () => {
    makeFolder(join(dir, "a/b/conversations"), 0o700);
    for (const above of ["a", "a/b"]) assert.equal(modeOf(above), process.getuid?.() === 0 ? 0o711 : 0o700);
  });

  it("are no links, no files, and nobody else's", () => {
    symlinkSync(tmpdir(), join(dir, "link"));
    writeFileSync(join(dir, "file"), "");
    for (const name of ["link", "file"])
      assert.throws(() => makeFolder(join(dir, name), 0o700), /is no folder/);
    if (process.getuid?.() !== 0) return;
    mkdirSync(join(dir, "theirs"));
    chownSync(join(dir, "theirs"), 12_345, 12_345);
    assert.throws(() => makeFolder(join(dir, "theirs"), 0o700), /belongs to user 12345/);
  });
});
