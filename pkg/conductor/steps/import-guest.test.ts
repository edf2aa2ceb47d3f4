import assert from "node:assert/strict";
import { ImportGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { OPERATION, finished } from "../testing/a-call.js";
import { FROM, TO, VOLUME, aMove, claimedTo, doneOf, newFlavor, statusesOf } from "../testing/a-move.js";
import { leavingGuest } from "./export-guest.js";
import { importGuest } from "./import-guest.js";
import { startMovedGuest } from "./start-moved-guest.js";

const left = finished(leavingGuest, {
  disks: [{ name: "root", format: "qcow2", sizeBytes: "9", dataBytes: "5" }],
});
const steps = [claimedTo, left];
const flavor = newFlavor as never;

describe("import-guest", () => {
  it("tells the new host where the disks are, and what the server will be", async () => {
    const { ports, moving, sent } = await aMove();
    const { host } = doneOf(await importGuest(ports).run(moving({ flavor }, { steps })));
    const [{ command, input, host: at } = assert.fail("nothing was sent")] = sent;
    const told = ImportGuestInput.decode(input);
    assert.deepEqual([command, at, host], ["import-guest", TO, TO]);
    assert.deepEqual(
      [told.transferId, told.fromHost, told.fromAddress, told.volumes.map(({ volumeId }) => volumeId)],
      [OPERATION, FROM, `agent:${FROM}`, [VOLUME]],
    );
    assert.deepEqual(
      told.disks.map(({ name, sizeBytes }) => [name, sizeBytes]),
      [["root", 9n]],
    );
    const { server, spec } = told.instance ?? assert.fail("no record");
    assert.deepEqual(
      [server?.flavor?.id, spec?.flavor?.id, server?.hostInfo?.host, server?.availabilityZone],
      ["2", "2", TO, "west"],
    );
  });

  it("has another host tried when this one cannot", async () => {
    const { ports, moving, failing } = await aMove();
    failing.add("import-guest");
    const result = await importGuest(ports).run(moving({}, { steps }));
    assert.deepEqual(
      [result.kind, result.kind === "fail" && result.backTo, result.kind === "fail" && result.host],
      ["fail", "claim-host", TO],
    );
  });

  it("has another host tried when this one is down for long", async () => {
    const { ports, moving, down, sent } = await aMove();
    const tried = (attempts: number) =>
      moving({}, { steps: [...steps, { ...left, name: "import-guest", state: "running", attempts }] });
    down.add(TO);
    await assert.rejects(importGuest(ports).run(tried(10)), { kind: "unavailable" });
    const result = await importGuest(ports).run(tried(11));
    assert.deepEqual([result.kind, result.kind === "fail" && result.backTo], ["fail", "claim-host"]);
    down.clear();
    doneOf(await importGuest(ports).run(tried(11)));
    assert.equal(sent.length, 1);
  });

  it("is as patient with the next host as with the one before", async () => {
    const { ports, moving, down } = await aMove();
    const before = { ...left, name: "import-guest", state: "failed", attempts: 11 };
    const now = { ...before, state: "running", attempts: 1, round: 1 };
    const call = moving({}, { steps: [...steps, before, now], round: 1 });
    down.add(TO);
    await assert.rejects(importGuest(ports).run(call), { kind: "unavailable" });
  });

  for (const [reason, backTo] of [
    ["UNSUPPORTED_HARDWARE", "claim-host"],
    ["FLAVOR_DISK_TOO_SMALL", ""],
    ["DISK_SHRINK_REFUSED", ""],
  ] as const)
    it(`${backTo === "" ? "ends the move" : "has another host tried"} after ${reason}`, async () => {
      const { ports, moving, failing, reasons } = await aMove();
      failing.add("import-guest");
      reasons.set("import-guest", reason);
      const result = await importGuest(ports).run(moving({}, { steps }));
      assert.deepEqual([result.kind, result.kind === "fail" && result.backTo], ["fail", backTo]);
    });

  it("is undone at the new host, also before it ran", async () => {
    const { ports, moving, sent } = await aMove();
    assert.equal(await importGuest(ports).undo?.(moving()), undefined);
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [[TO, "destroy-guest"]],
    );
  });
});

describe("import-guest, undone while the new host is down", () => {
  it("leaves that host alone with a guest that was never started", async () => {
    const { ports, moving, down } = await aMove();
    down.add(TO);
    assert.equal(await importGuest(ports).undo?.(moving({}, { steps })), undefined);
  });

  it("waits for it with a guest that may run there", async () => {
    const { ports, moving, down } = await aMove();
    down.add(TO);
    const started = { ...claimedTo, name: "start-guest", state: "failed" };
    const call = moving({}, { steps: [...steps, started] });
    await assert.rejects(async () => importGuest(ports).undo?.(call), { kind: "unavailable" });
  });
});

describe("start-guest of a move", () => {
  it("starts the guest at its new host: the server is resized", async () => {
    const { ports, moving, sent } = await aMove();
    const call = moving({}, { steps });
    const { change } = doneOf(await startMovedGuest(ports).run(call));
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [[TO, "power-on-guest"]],
    );
    assert.deepEqual(
      [change?.set?.vmState, change?.set?.powerState, statusesOf(change)],
      [VmState.VM_STATE_RESIZED, PowerState.POWER_STATE_RUNNING, ["finished"]],
    );
    assert.ok(change?.set?.launchedAt !== undefined);
  });

  it("leaves a guest off that was off", async () => {
    const { ports, moving, sent } = await aMove({ wasOff: true });
    const { change } = doneOf(await startMovedGuest(ports).run(moving({}, { steps })));
    assert.deepEqual([sent, change?.set?.powerState], [[], PowerState.POWER_STATE_SHUTDOWN]);
  });

  it("gives up the move when it does not start", async () => {
    const { ports, moving, failing } = await aMove();
    failing.add("power-on-guest");
    const result = await startMovedGuest(ports).run(moving({}, { steps }));
    assert.deepEqual([result.kind, result.kind === "fail" && result.backTo], ["fail", ""]);
  });
});
