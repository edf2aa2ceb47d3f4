import assert from "node:assert/strict";
import {
  MigrationChange,
  MigrationKind,
  MigrationRecord,
} from "../../../../gen/kilonova/cells/v1/server_records.js";
import { aServer } from "../../testing/records.js";
import { changedMigrations } from "./migrations.js";

const LIVE = MigrationKind.MIGRATION_KIND_LIVE_MIGRATION;
const moving = {
  server: aServer({ id: "s", hostInfo: { host: "h1", node: "n1" } as never }),
  operation: "operations/s/o",
  operationId: "o",
  userId: "mover",
  now: 1_767_225_600_000_000n,
  numbers: [7n, 8n],
};
const change = (init: Parameters<typeof MigrationChange.fromPartial>[0]) => MigrationChange.fromPartial(init);
const known = MigrationRecord.fromPartial({
  id: "o",
  kind: LIVE,
  status: "running",
  number: 3n,
  userId: "u",
});

describe("changedMigrations", () => {
  it("makes one under the operation's uuid, in the first status of its kind, from where the server is", () => {
    const [made] = changedMigrations([], [change({ migration: { kind: LIVE }, create: true })], moving);
    assert.deepEqual(
      [made?.id, made?.number, made?.status, made?.source?.host, made?.userId, made?.projectId],
      ["o", 7n, "accepted", "h1", "mover", "project"],
    );
  });
  it("gives each new one a number", () => {
    const all = ["a", "b"].map((id) => change({ migration: { id, kind: LIVE }, create: true }));
    assert.deepEqual(
      changedMigrations([], all, moving).map(({ number }) => number),
      [7n, 8n],
    );
  });
  it("does not make one again", () =>
    assert.deepEqual(
      changedMigrations([known], [change({ migration: { kind: LIVE }, create: true })], moving),
      [],
    ));
  it("changes what the mask names, in the order of the changes", () => {
    const to = (status: string) => change({ migration: { status, userId: "x" }, updateMask: ["status"] });
    const [after] = changedMigrations([known], [to("post-migrating"), to("completed")], moving);
    assert.deepEqual([after?.status, after?.userId], ["completed", "u"]);
    assert.ok(after?.updatedAt !== undefined);
  });
  it("keeps what a newer build has noted", () => {
    const salted = { ...known, _unknownFields: { 80_000: [Buffer.from([1])] } };
    const fail = change({ migration: { status: "failed" }, updateMask: ["status"] });
    assert.ok(changedMigrations([salted], [fail], moving)[0]?._unknownFields);
  });
  it("refuses a status that cannot follow, one of another kind, and what is not there", () => {
    const to = (status: string) => [change({ migration: { status }, updateMask: ["status"] })];
    assert.throws(() => changedMigrations([known], to("preparing"), moving), {
      reason: "ILLEGAL_TRANSITION",
    });
    assert.throws(() => changedMigrations([known], to("confirmed"), moving), {
      reason: "ILLEGAL_TRANSITION",
    });
    assert.throws(() => changedMigrations([], to("failed"), moving), { reason: "MIGRATION_NOT_FOUND" });
    const made = change({ migration: { kind: LIVE, status: "confirmed" }, create: true });
    assert.throws(() => changedMigrations([], [made], moving), { reason: "ILLEGAL_TRANSITION" });
  });
  it("refuses a new one without a kind, and a path that is decided already", () => {
    assert.throws(() => changedMigrations([], [change({ migration: {}, create: true })], moving), {
      reason: "INVALID_ARGUMENT",
    });
    for (const path of ["kind", "number", "operation", "project_id"])
      assert.throws(
        () => changedMigrations([known], [change({ migration: {}, updateMask: [path] })], moving),
        {
          reason: "INVALID_ARGUMENT",
        },
      );
  });
});
