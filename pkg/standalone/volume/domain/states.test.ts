import assert from "node:assert/strict";
import { KilonovaError } from "../../../kernel/index.js";
import { aVolume, anAttachment } from "../testing/a-volume.js";
import type { VolumeStatus } from "./model.js";
import {
  demandConnectable,
  demandDeletable,
  demandExtendable,
  demandReimageable,
  demandSnapshotable,
  demandUploadable,
  statusOfAttachments,
  statusOnAttachment,
  transitions,
} from "./states.js";

const reason =
  (name: string, text = /./) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === name && text.test(error.message);

describe("states of volumes", () => {
  it("reserves what is free, what may be shared, and what the same server has", () => {
    const on = (status: VolumeStatus, multiattach: boolean, mine: boolean): VolumeStatus =>
      statusOnAttachment(
        aVolume({ status, multiattach, attachments: mine ? [anAttachment({ instanceUuid: "s" })] : [] }),
        "s",
      );
    assert.equal(on("available", false, false), "reserved");
    assert.equal(on("in-use", true, false), "reserved");
    assert.equal(on("in-use", false, true), "in-use");
    assert.equal(on("reserved", false, true), "reserved");
    for (const status of ["creating", "downloading", "in-use", "detaching", "extending"] as const)
      assert.throws(() => on(status, false, false), reason("INVALID_VOLUME", /to reserve, but the current/));
    assert.throws(() => on("detaching", false, true), reason("INVALID_VOLUME"));
    assert.throws(() => on("error", true, true), reason("INVALID_VOLUME", /in an error state/));
  });

  it("has a bounded number of attachments, one server's too", () => {
    const many = (length: number) =>
      aVolume({
        status: "in-use",
        attachments: Array.from({ length }, (_, n) => anAttachment({ id: `a${n}`, instanceUuid: "s" })),
      });
    assert.equal(statusOnAttachment(many(255), "s"), "in-use");
    assert.throws(() => statusOnAttachment(many(256), "s"), { reason: "INVALID_VOLUME" });
  });

  it("connects a volume to one server's hosts, or to several servers' when it may be shared", () => {
    const connected = anAttachment({ id: "a", instanceUuid: "s", connectionInfo: {} });
    const check = (server: string | null, multiattach = false): void =>
      demandConnectable(
        aVolume({ multiattach, attachments: [connected, anAttachment({ id: "b", instanceUuid: server })] }),
        "b",
      );
    assert.doesNotThrow(() => check("s"));
    assert.doesNotThrow(() => check("other", true));
    assert.throws(() => check("other"), reason("RESOURCE_CONFLICT", /duplicate connectors/));
    assert.throws(() => check(null), reason("RESOURCE_CONFLICT"));
    assert.throws(
      () => demandConnectable(aVolume({ status: "error" }), "b"),
      reason("RESOURCE_CONFLICT", /error state/),
    );
  });

  it("is what its attachments make of it", () => {
    const of = (...statuses: readonly ("reserved" | "attaching" | "attached" | "detaching")[]) =>
      statusOfAttachments(statuses.map((status) => ({ status })));
    assert.deepEqual(
      [of(), of("reserved"), of("reserved", "attaching"), of("attaching", "attached"), of("detaching")],
      ["available", "reserved", "attaching", "in-use", "detaching"],
    );
  });

  it("is removed when nobody has it, whatever its state when that is forced", () => {
    const check = (status: VolumeStatus, force: boolean, hasSnapshots = false): void =>
      demandDeletable(aVolume({ status }), { force, hasSnapshots });
    for (const status of ["available", "error", "error_deleting", "error_extending"] as const)
      assert.doesNotThrow(() => check(status, false));
    for (const status of ["in-use", "reserved", "creating"] as const) {
      assert.throws(() => check(status, false), reason("INVALID_VOLUME"));
      assert.doesNotThrow(() => check(status, true));
    }
    assert.throws(() => check("deleting", true), reason("INVALID_VOLUME"));
    assert.throws(() => check("available", true, true), reason("INVALID_VOLUME", /have snapshots/));
    const attached = aVolume({ status: "error", attachments: [anAttachment({ status: "attached" })] });
    assert.throws(
      () => demandDeletable(attached, { force: true, hasSnapshots: false }),
      reason("INVALID_VOLUME"),
    );
  });

  it("goes from state to state by the simple actions", () => {
    const attachments = [anAttachment({ status: "attached" })];
    assert.equal(transitions["os-reserve"](aVolume()), "attaching");
    assert.equal(transitions["os-reserve"](aVolume({ status: "in-use", multiattach: true })), "attaching");
    assert.throws(() => transitions["os-reserve"](aVolume({ status: "in-use" })), reason("INVALID_VOLUME"));
    assert.equal(transitions["os-unreserve"](aVolume({ status: "attaching" })), "available");
    assert.equal(transitions["os-unreserve"](aVolume({ status: "attaching", attachments })), "in-use");
    assert.equal(transitions["os-unreserve"](aVolume({ status: "in-use" })), "in-use");
    assert.equal(transitions["os-begin_detaching"](aVolume({ status: "in-use", attachments })), "detaching");
    assert.throws(
      () => transitions["os-begin_detaching"](aVolume({ status: "in-use" })),
      reason("INVALID_VOLUME"),
    );
    assert.equal(transitions["os-roll_detaching"](aVolume({ status: "detaching" })), "in-use");
    assert.equal(transitions["os-roll_detaching"](aVolume()), "available");
  });

  it("grows, and in use only when the version allows it", () => {
    assert.doesNotThrow(() => demandExtendable(aVolume(), 2, false));
    assert.throws(
      () => demandExtendable(aVolume(), 1, false),
      reason("INVALID_INPUT", /greater than current/),
    );
    const used = aVolume({ status: "in-use" });
    assert.throws(() => demandExtendable(used, 2, false), reason("INVALID_VOLUME"));
    assert.doesNotThrow(() => demandExtendable(used, 2, true));
    assert.throws(() => demandExtendable(aVolume({ status: "reserved" }), 2, true), reason("INVALID_VOLUME"));
  });

  it("is copied while it is used only when that is forced", () => {
    const used = aVolume({ status: "in-use" });
    for (const demand of [demandUploadable, demandSnapshotable]) {
      assert.doesNotThrow(() => demand(aVolume(), false));
      assert.throws(() => demand(used, false), reason("INVALID_VOLUME"));
      assert.doesNotThrow(() => demand(used, true));
      assert.throws(() => demand(aVolume({ status: "creating" }), true), reason("INVALID_VOLUME"));
    }
  });

  it("gets another image while nobody has it, or while its one server waits for that", () => {
    assert.doesNotThrow(() => demandReimageable(aVolume(), false));
    assert.throws(() => demandReimageable(aVolume({ status: "reserved" }), false), reason("INVALID_VOLUME"));
    assert.doesNotThrow(() => demandReimageable(aVolume({ status: "reserved" }), true));
    const two = aVolume({ attachments: [anAttachment(), anAttachment({ id: "b" })] });
    assert.throws(() => demandReimageable(two, true), reason("REIMAGE_ATTACHED"));
  });
});
