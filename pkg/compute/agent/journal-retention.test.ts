import assert from "node:assert/strict";
import type { JournalEntry } from "./journal-entry.js";
import { COMMANDS_KEPT_MS, keptEntries } from "./journal-retention.js";

const NOW = 10 * COMMANDS_KEPT_MS;
const OLD = NOW - COMMANDS_KEPT_MS;

const entry = (commandId: string, more: Partial<JournalEntry> = {}): JournalEntry => ({
  serverId: "s1",
  commandId,
  operation: "operations/s1/o1",
  fence: "1",
  phase: "done",
  told: true,
  at: NOW,
  ...more,
});
const kept = (entries: readonly JournalEntry[], isBusy?: (id: string) => boolean): string[] =>
  keptEntries(entries, NOW, isBusy).map(({ commandId }) => commandId);

describe("what of a journal is kept", () => {
  it("is nothing of a server of which nothing was heard for a day", () =>
    assert.deepEqual(
      kept([
        entry("a", { at: OLD }),
        entry("b", { at: OLD, phase: "started" }),
        entry("c", { serverId: "s2" }),
      ]),
      ["c"],
    ));
  it("is everything of a server on which a command runs", () =>
    assert.deepEqual(
      kept([entry("a", { at: OLD }), entry("b", { at: OLD })], (id) => id === "s1"),
      ["a", "b"],
    ));
  it("is no old answer of a server that is still at work, but what is young, unfinished or untold", () =>
    assert.deepEqual(
      kept([
        entry("old", { at: OLD }),
        entry("started", { at: OLD, phase: "started", told: undefined as never }),
        entry("untold", { at: OLD, told: false }),
        entry("young", { at: OLD + 1 }),
        entry("new", { fence: "9" }),
      ]),
      ["started", "untold", "young", "new"],
    ));
  it("has the highest fence of each lane, and of what has closed them, however old", () =>
    assert.deepEqual(
      kept([
        entry("life 9", { at: OLD, fence: "9" }),
        entry("life 10", { at: OLD, fence: "10" }),
        entry("closing", { at: OLD, fence: "7", lane: "life", closesLanes: true }),
        entry("disk 3", { at: OLD, fence: "3", lane: "disk" }),
        entry("disk 2", { at: OLD, fence: "2", lane: "disk" }),
        entry("now", { fence: "8" }),
      ]),
      ["life 10", "closing", "disk 3", "now"],
    ));
});
