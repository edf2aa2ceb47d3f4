import assert from "node:assert/strict";
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundConsole, consoleTail } from "./console-log.js";

describe("console log", () => {
  let dir: string;
  const paths = () => ({
    consoleLog: join(dir, "console.log"),
    consoleLogBefore: join(dir, "console.log.1"),
  });
  const tail = (n: number): string => Buffer.from(consoleTail(paths(), n)).toString();
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-console-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("is empty before the first start", () => {
    assert.equal(tail(100), "");
    assert.equal(boundConsole(paths(), 10), false);
  });

  it("gives its end, over the cut", () => {
    appendFileSync(paths().consoleLog, "0123456789abcdefghijK");
    assert.equal(boundConsole(paths(), 10), true);
    appendFileSync(paths().consoleLog, "new");
    assert.equal(tail(5), "jKnew");
    assert.equal(tail(100), "bcdefghijKnew");
    assert.equal(tail(2), "ew");
    assert.equal(tail(0), "");
  });

  it("stays bounded under a writer that holds the file open, and loses nothing of its end", () => {
    const writer = openSync(paths().consoleLog, "a");
    try {
      for (let i = 0; i < 2_000; i++) {
        writeSync(writer, `line ${i}\n`);
        boundConsole(paths(), 1_000);
        assert.ok(statSync(paths().consoleLog).size <= 2_100);
      }
    } finally {
      closeSync(writer);
    }
    const kept = tail(1_000)
      .split("\n")
      .slice(1, -1)
      .map((line) => Number(line.slice(5)));
    assert.deepEqual(
      kept,
      Array.from({ length: kept.length }, (_, i) => 2_000 - kept.length + i),
    );
    assert.ok(kept.length > 80);
  });
});
