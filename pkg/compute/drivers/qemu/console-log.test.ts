import assert from "node:assert/strict";
import {
  appendFileSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { boundConsole, boundConsoles, consoleTail } from "./console-log.js";

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

  it("is cut all the same where there is no room for its end", () => {
    appendFileSync(paths().consoleLog, "0123456789abcdefghijK");
    symlinkSync("/dev/full", `${paths().consoleLogBefore}.tmp`);
    assert.equal(boundConsole(paths(), 10), true);
    assert.deepEqual([statSync(paths().consoleLog).size, tail(100)], [0, ""]);
    appendFileSync(paths().consoleLog, "0123456789abcdefghijK");
    assert.equal(boundConsole(paths(), 10), true);
    assert.equal(tail(100), "bcdefghijK");
  });

  it("is bounded whatever becomes of another guest's", () => {
    const other = { consoleLog: join(dir, "other.log"), consoleLogBefore: join(dir, "other.log.1") };
    const guests = [{ paths: other }, { paths: paths() }];
    for (const { paths: one } of guests) appendFileSync(one.consoleLog, "0123456789abcdefghijK");
    mkdirSync(`${other.consoleLogBefore}.tmp`);
    const failed: object[] = [];
    boundConsoles(guests, 10, (guest) => failed.push(guest));
    assert.deepEqual(failed, [guests[0]]);
    assert.equal(statSync(paths().consoleLog).size, 0);
  });
});
