import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../kernel/index.js";
import { writeFileAtomic } from "../../platform/files/index.js";
import { withoutFiles } from "../../testkit/without-files.js";
import { Journal } from "./journal.js";
import type { JournalDisk, JournalFile } from "./journal.js";
import type { JournalEntry } from "./journal-entry.js";

const entry = (commandId: string): JournalEntry => ({
  serverId: "s1",
  commandId,
  operation: "operations/s1/o1",
  fence: "1",
  phase: "started",
  at: Date.now(),
});

const realDisk: JournalDisk = {
  read: readFile,
  write: writeFileAtomic,
  append: (path) => open(path, "a", 0o600),
};

/** A disk that syncs when it is told to. */
class SlowDisk implements JournalFile {
  readonly done: string[] = [];
  #release: (() => void)[] = [];
  broken = false;

  async appendFile(lines: string): Promise<void> {
    this.done.push(`append ${lines.trim().split("\n").length}`);
  }

  async datasync(): Promise<void> {
    this.done.push("sync begins");
    await new Promise<void>((resolve) => this.#release.push(resolve));
    if (this.broken) throw new Error("EIO");
    this.done.push("sync ends");
  }

  async truncate(bytes: number): Promise<void> {
    this.done.push(`cut to ${bytes}`);
  }

  async close(): Promise<void> {}

  /** Lets the sync that waits end, and everything that follows from it happen. */
  async sync(): Promise<void> {
    this.#release.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("the agent's journal", () => {
  let dir: string;
  let disk: SlowDisk;
  let journal: Journal;
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-journal-"));
    disk = new SlowDisk();
    ({ journal } = await Journal.open(join(dir, "journal"), Date.now(), {
      ...realDisk,
      append: async () => disk,
    }));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("says that a line is written only once it is on disk, and syncs late-comers together", async () => {
    const told: string[] = [];
    const all = ["a", "b", "c"].map((id) => journal.append(entry(id)).then(() => told.push(id)));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([disk.done, told], [["append 1", "sync begins"], []]);
    await disk.sync();
    assert.deepEqual(told, ["a"]);
    await disk.sync();
    await Promise.all(all);
    assert.deepEqual(told, ["a", "b", "c"]);
    assert.deepEqual(disk.done.slice(2), ["sync ends", "append 2", "sync begins", "sync ends"]);
  });

  it("fails those lines whose sync failed", async () => {
    disk.broken = true;
    const lost = assert.rejects(
      journal.append(entry("a")),
      (e: unknown) => e instanceof KilonovaError && e.reason === "JOURNAL_BROKEN",
    );
    await new Promise((resolve) => setImmediate(resolve));
    await disk.sync();
    await lost;
  });
});

describe("a journal that was written before", () => {
  let dir: string;
  let path: string;
  const opened: Journal[] = [];
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "kilonova-journal-"));
    path = join(dir, "journal");
    const { journal } = await Journal.open(path, Date.now());
    await journal.append(entry("a"));
    await journal.append(entry("b"));
    await journal.close();
  });
  afterEach(async () => {
    for (const journal of opened.splice(0)) await journal.close();
    rmSync(dir, { recursive: true });
  });

  const reopen = async (disk: Partial<JournalDisk> = {}): Promise<{ ids: string[]; cutBytes: number }> => {
    const { journal, entries, cutBytes } = await Journal.open(path, Date.now(), { ...realDisk, ...disk });
    opened.push(journal);
    return { ids: entries.map((e) => e.commandId), cutBytes };
  };
  /** What stops the agent, and whether the file is as it was. */
  const refusal = async (disk: Partial<JournalDisk> = {}): Promise<KilonovaError> => {
    const before = readFileSync(path, "hex");
    const error = await reopen(disk).then(
      () => assert.fail("it was opened"),
      (e: unknown) => e,
    );
    assert.ok(error instanceof KilonovaError, String(error));
    assert.equal(readFileSync(path, "hex"), before);
    return error;
  };
  const failingRead = (code: string): Partial<JournalDisk> => ({
    read: async () => {
      throw Object.assign(new Error(`${code}: no luck`), { code });
    },
  });

  it("gives what it holds", async () => assert.deepEqual(await reopen(), { ids: ["a", "b"], cutBytes: 0 }));

  for (const code of ["EIO", "EMFILE", "EACCES", "EISDIR", "ENOTDIR"])
    it(`stops the agent and is left alone when reading it says ${code}`, async () => {
      const error = await refusal(failingRead(code));
      assert.equal(error.reason, "JOURNAL_UNREADABLE");
      assert.match(error.message, new RegExp(`${path}.*${code}: no luck.*docs/operator/deploying\\.md`));
      assert.deepEqual((await reopen()).ids, ["a", "b"]);
    });

  it("stops the agent when the kernel refuses to read it", async () => {
    rmSync(path);
    mkdirSync(path);
    await assert.rejects(reopen(), { reason: "JOURNAL_UNREADABLE", message: /EISDIR/ });
  });

  it("stops the agent when the process has no file left to open", async function () {
    this.timeout(60_000);
    const before = readFileSync(path, "hex");
    const outcome = await withoutFiles(new URL("journal.ts", import.meta.url), "Journal.open", [
      path,
      Date.now(),
    ]);
    assert.deepEqual(outcome, { code: "EMFILE", reason: "JOURNAL_UNREADABLE" });
    assert.equal(readFileSync(path, "hex"), before);
  });

  it("loses a last line that a crash tore, at whatever byte, and nothing else", async () => {
    const whole = readFileSync(path);
    const torn = Buffer.from(`${JSON.stringify({ ...entry("c"), errorMessage: "gänzlich" })}\n`);
    for (let bytes = 1; bytes < torn.length; bytes++) {
      writeFileSync(path, Buffer.concat([whole, torn.subarray(0, bytes)]));
      assert.deepEqual(await reopen(), { ids: ["a", "b"], cutBytes: bytes });
    }
    assert.deepEqual(readFileSync(path), whole);
  });

  for (const [what, line] of [
    ["garbage", "\0\0\0\0"],
    ["half a line", '{"serverId":"s1","comm'],
    ["an empty line", ""],
    ["a list", "[1]"],
    ["a fence that is no number", JSON.stringify({ ...entry("c"), fence: "many" })],
    ["an unknown phase", JSON.stringify({ ...entry("c"), phase: "paused" })],
  ] as const)
    it(`stops the agent when ${what} stands in the middle`, async () => {
      appendFileSync(path, `${line}\n${JSON.stringify(entry("d"))}\n`);
      const error = await refusal();
      assert.equal(error.reason, "JOURNAL_UNREADABLE");
      assert.match(error.message, /line 3 is no entry/);
    });

  it("stops the agent when bytes in the middle are no UTF-8", async () => {
    const line = Buffer.from(`${JSON.stringify(entry("c"))}\n`);
    line[line.indexOf("s1")] = 0xff;
    appendFileSync(path, line);
    assert.equal((await refusal()).reason, "JOURNAL_UNREADABLE");
  });

  it("stops the agent when it is gone, until the operator says that it is lost", async () => {
    rmSync(path);
    await assert.rejects(reopen(), { reason: "JOURNAL_LOST" });
    await assert.rejects(reopen(), { reason: "JOURNAL_LOST" });
    writeFileSync(path, "");
    assert.deepEqual(await reopen(), { ids: [], cutBytes: 0 });
  });

  it("does not start the agent when it cannot be written", async () => {
    const write = async (): Promise<void> => {
      throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    };
    assert.equal((await refusal({ write })).reason, "JOURNAL_BROKEN");
  });

  it("keeps what a later version has written, keys and lines, also in the next line of the command", async () => {
    const late = { ...entry("c"), later: { newer: true } };
    const foreign = { kind: "lane", name: "x" };
    appendFileSync(path, `${JSON.stringify(late)}\n${JSON.stringify(foreign)}\n`);
    const { journal } = await Journal.open(path, Date.now());
    await journal.append({ ...entry("c"), phase: "done" });
    await journal.close();
    assert.deepEqual((await reopen()).ids, ["a", "b", "c"]);
    const lines = readFileSync(path, "utf8").trim().split("\n");
    const kept = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(kept[0], foreign);
    assert.deepEqual([kept[3]?.["later"], kept[3]?.["phase"]], [{ newer: true }, "done"]);
  });

  describe("and grows", () => {
    const isBusy = (): boolean => false;
    const grown = async (disk: Partial<JournalDisk> = {}): Promise<Journal> => {
      const { journal } = await Journal.open(path, Date.now(), { ...realDisk, ...disk });
      opened.push(journal);
      for (let n = 0; n < 9; n++) await journal.append({ ...entry("a"), phase: "done", told: true });
      return journal;
    };
    const lines = (): number => readFileSync(path, "utf8").trim().split("\n").length;

    it("is written anew without what is forgotten, and goes on", async () => {
      const journal = await grown();
      assert.equal(lines(), 11);
      const [done, ...late] = await Promise.all([
        journal.compact(Date.now(), isBusy, 1),
        journal.append(entry("c")),
        journal.append(entry("d")),
      ]);
      assert.ok(done);
      assert.deepEqual(late, [undefined, undefined]);
      assert.equal(lines(), 4);
      assert.deepEqual((await reopen()).ids, ["b", "a", "c", "d"]);
    });

    it("is left alone while it is short, or not twice as long as it was", async () => {
      const journal = await grown();
      assert.equal(await journal.compact(Date.now(), isBusy), false);
      assert.ok(await journal.compact(Date.now(), isBusy, 1));
      await journal.append(entry("c"));
      assert.equal(await journal.compact(Date.now(), isBusy, 1), false);
    });

    it("is as it was when it cannot be written anew, and takes the next lines", async () => {
      let full = false;
      const journal = await grown({
        write: async (...args) => {
          if (full) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
          return writeFileAtomic(...args);
        },
      });
      full = true;
      await assert.rejects(journal.compact(Date.now(), isBusy, 1), { reason: "JOURNAL_BROKEN" });
      await journal.append(entry("c"));
      assert.deepEqual((await reopen()).ids, ["b", "a", "c"]);
    });

    it("loses no line that was written under the new name before a failure", async () => {
      let failing = false;
      const journal = await grown({
        write: async (...args) => {
          await writeFileAtomic(...args);
          if (failing) throw Object.assign(new Error("EIO"), { code: "EIO" });
        },
      });
      failing = true;
      await assert.rejects(journal.compact(Date.now(), isBusy, 1), { reason: "JOURNAL_BROKEN" });
      await journal.append(entry("c"));
      assert.deepEqual((await reopen()).ids, ["b", "a", "c"]);
    });
  });

  it("has no half of a failed write before its next lines", async () => {
    let full = true;
    const { journal } = await Journal.open(path, Date.now(), {
      ...realDisk,
      append: async (at) => {
        const file = await open(at, "a");
        return {
          appendFile: async (lines) => {
            if (!full) return file.appendFile(lines);
            full = false;
            await file.appendFile(lines.slice(0, 20));
            throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
          },
          datasync: () => file.datasync(),
          truncate: (bytes) => file.truncate(bytes),
          close: () => file.close(),
        };
      },
    });
    await assert.rejects(journal.append(entry("c")), { reason: "JOURNAL_BROKEN" });
    await journal.append(entry("d"));
    await journal.close();
    assert.deepEqual(await reopen(), { ids: ["a", "b", "d"], cutBytes: 0 });
  });

  it("takes no more lines when that half cannot be cut off", async () => {
    const fails = async (): Promise<void> => {
      throw new Error("EIO");
    };
    let lines = 0;
    const { journal } = await Journal.open(path, Date.now(), {
      ...realDisk,
      append: async () => ({
        appendFile: async () => {
          lines++;
          await fails();
        },
        datasync: fails,
        truncate: fails,
        close: async () => {},
      }),
    });
    await assert.rejects(journal.append(entry("c")), { reason: "JOURNAL_BROKEN" });
    await assert.rejects(journal.append(entry("d")), { reason: "JOURNAL_BROKEN" });
    assert.equal(lines, 1);
  });
});
