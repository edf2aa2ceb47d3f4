import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DurableFiles } from "./atomic-file.js";
import { writeFileAtomic } from "./index.js";

describe("atomic files", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-files-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("are written whole, with their mode", async () => {
    await writeFileAtomic(join(dir, "f"), "one");
    await writeFileAtomic(join(dir, "f"), "two");
    assert.equal(readFileSync(join(dir, "f"), "utf8"), "two");
    assert.equal(statSync(join(dir, "f")).mode & 0o777, 0o600);
  });

  it("are on disk before they have their name, and their name is before it is told", async () => {
    const done: string[] = [];
    const note = (what: string) => async (): Promise<void> => {
      done.push(what);
    };
    const files: DurableFiles = {
      open: async (path) => ({
        writeFile: note(`write ${path}`),
        sync: note(`sync ${path}`),
        close: note(`close ${path}`),
      }),
      rename: (from, to) => note(`rename ${from} ${to}`)(),
    };
    await writeFileAtomic("/d/f", "one", 0o600, files);
    assert.deepEqual(done, [
      "write /d/f.tmp",
      "sync /d/f.tmp",
      "close /d/f.tmp",
      "rename /d/f.tmp /d/f",
      "sync /d",
      "close /d",
    ]);
  });

  it("take over the draft that a kill left", async () => {
    writeFileSync(join(dir, "f.tmp"), "half of a longer dra");
    await writeFileAtomic(join(dir, "f"), "one");
    assert.deepEqual(readdirSync(dir), ["f"]);
    assert.equal(readFileSync(join(dir, "f"), "utf8"), "one");
  });
});
