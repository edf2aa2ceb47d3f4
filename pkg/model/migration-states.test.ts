import assert from "node:assert/strict";
import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";
import { firstStatus, migrationWord, statusMayBecome } from "./migration-states.js";

const {
  MIGRATION_KIND_RESIZE: RESIZE,
  MIGRATION_KIND_LIVE_MIGRATION: LIVE,
  MIGRATION_KIND_EVACUATION: EVACUATION,
} = MigrationKind;

describe("statuses of migrations", () => {
  it("go forward, steps left out or not, and never back", () => {
    assert.equal(statusMayBecome(RESIZE, "pre-migrating", "migrating"), true);
    assert.equal(statusMayBecome(RESIZE, "pre-migrating", "finished"), true);
    assert.equal(statusMayBecome(RESIZE, "finished", "migrating"), false);
    assert.equal(statusMayBecome(LIVE, "running", "finished"), false);
  });
  it("part after a resize has finished: confirmed or reverted, not both", () => {
    assert.equal(statusMayBecome(RESIZE, "finished", "reverting"), true);
    assert.equal(statusMayBecome(RESIZE, "reverting", "reverted"), true);
    assert.equal(statusMayBecome(RESIZE, "migrating", "reverting"), false);
    assert.equal(statusMayBecome(RESIZE, "confirming", "reverted"), false);
  });
  it("may fail until the end, and end once", () => {
    assert.equal(statusMayBecome(LIVE, "queued", "cancelled"), true);
    assert.equal(statusMayBecome(LIVE, "completed", "error"), false);
    assert.equal(statusMayBecome(LIVE, "failed", "running"), false);
    assert.equal(statusMayBecome(RESIZE, "reverted", "error"), false);
  });
  it("let an evacuation be done before its source returns", () => {
    assert.equal(statusMayBecome(EVACUATION, "done", "completed"), true);
    assert.equal(statusMayBecome(EVACUATION, "accepted", "completed"), true);
    assert.equal(statusMayBecome(EVACUATION, "failed", "completed"), false);
  });
  it("are let alone in a kind that a newer build has made", () => {
    assert.equal(statusMayBecome(99 as MigrationKind, "one", "two"), true);
    assert.equal(migrationWord(99 as MigrationKind), undefined);
  });
  it("begin as Nova's do", () =>
    assert.deepEqual([RESIZE, LIVE, EVACUATION].map(firstStatus), ["pre-migrating", "accepted", "accepted"]));
});
