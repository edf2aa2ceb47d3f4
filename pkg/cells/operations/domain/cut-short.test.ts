import assert from "node:assert/strict";
import { MigrationKind, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { cutShort, endedMigrations } from "./cut-short.js";
import { LIFE } from "./lanes.js";

const { MIGRATION_KIND_RESIZE: RESIZE, MIGRATION_KIND_LIVE_MIGRATION: LIVE } = MigrationKind;
const NOW = 5_000_000n;
const record = (kind: MigrationKind, status: string, operation = "o") =>
  MigrationRecord.fromPartial({ id: `${operation} ${status}`, kind, status, operation });
const statuses = (known: MigrationRecord[], ...cut: ReturnType<typeof cutShort>[]) =>
  endedMigrations(known, cut, NOW).map(({ id, status }) => [id, status]);
const cut = (name: string, state: string, lane: string = LIFE, leader = name) =>
  cutShort({ name, lane, state }, leader);

describe("migrations of operations that were cut short", () => {
  it("end with those that made them, whatever the lane, and with no other", () => {
    const known = [record(RESIZE, "migrating"), record(LIVE, "running", "other")];
    assert.deepEqual(statuses(known, cut("o", "failed")), [["o migrating", "error"]]);
    assert.deepEqual(statuses(known, cut("other", "failed", "volumes")), [["other running", "failed"]]);
    assert.deepEqual(statuses(known, cut("third", "failed")), []);
    assert.deepEqual(endedMigrations(known, [cut("o", "failed")], NOW)[0]?.updatedAt, toTimestamp(NOW));
  });
  it("are cancelled where nobody wanted them any more and Nova has a word for it", () => {
    const live = [record(LIVE, "preparing")];
    assert.deepEqual(statuses(live, cut("o", "preempted")), [["o preparing", "cancelled"]]);
    assert.deepEqual(statuses(live, cut("o", "cancelled", "volumes")), [["o preparing", "cancelled"]]);
    assert.deepEqual(statuses([record(RESIZE, "migrating")], cut("o", "preempted")), [
      ["o migrating", "error"],
    ]);
  });
  it("stay as they are while they rest; who led them on takes them along", () => {
    assert.deepEqual(statuses([record(RESIZE, "finished")], cut("o", "failed")), []);
    const confirming = [record(RESIZE, "confirming")];
    assert.deepEqual(statuses(confirming, cut("c", "failed")), [["o confirming", "error"]]);
    assert.deepEqual(statuses(confirming, cut("c", "failed", LIFE, "")), [["o confirming", "error"]]);
    assert.deepEqual(statuses(confirming, cut("c", "failed", "volumes")), []);
    assert.deepEqual(statuses(confirming, cut("c", "failed", LIFE, "somebody else")), []);
  });
  it("stay as they are once they have ended, with their server too", () => {
    const gone = { ...record(RESIZE, "migrating"), deletedAt: toTimestamp(1n) };
    assert.deepEqual(statuses([record(LIVE, "completed"), gone], cut("o", "failed")), []);
  });
});
