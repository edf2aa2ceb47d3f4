import assert from "node:assert/strict";
import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";
import {
  NEED_HOSTS,
  NOT_CLEARED,
  UNDER_WAY,
  UNENDED,
  firstStatus,
  migrationWord,
  statusMayBecome,
  statusWhenCut,
  wayOf,
} from "./migration-states.js";

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
  it("are under way, at rest, or ended", () => {
    const ways = (kind: MigrationKind, ...statuses: string[]) => statuses.map((one) => wayOf(kind, one));
    assert.deepEqual(ways(RESIZE, "pre-migrating", "post-migrating", "finished", "confirmed", "error"), [
      "there",
      "there",
      undefined,
      undefined,
      undefined,
    ]);
    assert.deepEqual(ways(RESIZE, "confirming", "reverting"), ["on", "on"]);
    assert.deepEqual(ways(LIVE, "accepted", "running", "completed", "cancelled"), [
      "there",
      "there",
      undefined,
      undefined,
    ]);
    assert.deepEqual(ways(EVACUATION, "pre-migrating", "done", "completed"), ["there", undefined, undefined]);
    assert.deepEqual(ways(99 as MigrationKind, "running"), [undefined]);
    for (const status of ["migrating", "reverting", "accepted", "running"])
      assert.ok(UNDER_WAY.includes(status), status);
    for (const status of ["finished", "done", "completed", "error"])
      assert.ok(!UNDER_WAY.includes(status), status);
    for (const status of ["migrating", "finished", "done"]) assert.ok(UNENDED.includes(status), status);
    for (const status of ["confirmed", "reverted", "completed", "error", "cancelled"])
      assert.ok(!UNENDED.includes(status), status);
  });
  it("need both hosts until they have ended, but for an evacuation that is done", () => {
    for (const status of ["pre-migrating", "finished", "reverting", "running"])
      assert.ok(NEED_HOSTS.includes(status), status);
    for (const status of ["done", "confirmed", "reverted", "error"])
      assert.ok(!NEED_HOSTS.includes(status), status);
  });
  it("leave something on both hosts until a resize is confirmed or reverted", () => {
    for (const status of ["pre-migrating", "finished", "confirming", "reverting", "error", "failed"])
      assert.ok(NOT_CLEARED.includes(status), status);
    for (const status of ["confirmed", "reverted", "running"])
      assert.ok(!NOT_CLEARED.includes(status), status);
  });
  it("end as Nova's do when the operation is cut short", () => {
    assert.deepEqual(
      [RESIZE, LIVE, EVACUATION].map((kind) => [statusWhenCut(kind, false), statusWhenCut(kind, true)]),
      [
        ["error", "error"],
        ["failed", "cancelled"],
        ["failed", "failed"],
      ],
    );
    for (const kind of [RESIZE, LIVE, EVACUATION])
      for (const withdrawn of [true, false])
        assert.ok(statusMayBecome(kind, firstStatus(kind), statusWhenCut(kind, withdrawn)));
  });
  it("begin as Nova's do", () =>
    assert.deepEqual([RESIZE, LIVE, EVACUATION].map(firstStatus), ["pre-migrating", "accepted", "accepted"]));
});
