import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KilonovaError } from "../../kernel/index.js";
import { Journal } from "./journal.js";
import type { JournalEntry, JournalFile } from "./journal.js";

const entry = (commandId: string): JournalEntry => ({
  serverId: "s1",
  commandId,
  operation: "operations/s1/o1",
  fence: "1",
  phase: "started",
  at: 1,
});

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
    ({ journal } = await Journal.open(join(dir, "journal"), Date.now(), async () => disk));
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

describe("the agent's journal of a later version", () => {
  it("keeps what this version does not know, in lines that it writes again and in lines of the same command", async () => {
    const dir = mkdtempSync(join(tmpdir(), "kilonova-journal-"));
    const path = join(dir, "journal");
    const now = Date.now();
    const later = { ...entry("a"), at: now, output: { address: "10.0.0.1" } };
    const foreign = { kind: "fence-intent", epoch: 3, at: now };
    const old = { kind: "fence-intent", epoch: 2, at: 1 };
    writeFileSync(path, [later, foreign, old].map((line) => `${JSON.stringify(line)}\n`).join(""));
    const { journal, entries } = await Journal.open(path, now);
    assert.deepEqual(entries, [later]);
    await journal.append({ ...entry("a"), phase: "done", at: now });
    await journal.append({ ...entry("b"), at: now });
    await journal.close();
    // The version that wrote it comes back, after this one has opened it twice.
    await (await Journal.open(path, now)).journal.close();
    const lines = readFileSync(path, "utf8").trim().split("\n");
    assert.deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      [foreign, { ...later, phase: "done" }, { ...entry("b"), at: now }],
    );
    rmSync(dir, { recursive: true });
  });
});
