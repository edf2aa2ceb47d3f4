import assert from "node:assert/strict";
import { ExportGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import exportGuestThere from "../../compute/commands/export-guest.js";
import { OPERATION, finished } from "../testing/a-call.js";
import { FROM, TO, aMove, claimedTo, doneOf } from "../testing/a-move.js";
import { exportGuest, leavingDisks, leavingGuest } from "./export-guest.js";
import { keepRunning } from "./keep-running.js";

const disks = [{ name: "root", format: "qcow2", sizeBytes: "9", dataBytes: "5" }];
const left = finished(leavingGuest, { disks });

describe("export-guest", () => {
  it("has the old host offer the disks to the new one alone, and keeps what it tells", async () => {
    const { ports, moving, sent } = await aMove();
    const { output, change, host } = doneOf(await exportGuest(ports).run(moving()));
    const [{ command, input, host: at } = assert.fail("nothing was sent")] = sent;
    const { transferId, toHost, softTimeoutMs } = ExportGuestInput.decode(input);
    assert.deepEqual(
      [command, at, transferId, toHost, softTimeoutMs, host],
      ["export-guest", FROM, OPERATION, TO, 5_000, FROM],
    );
    assert.deepEqual(output, { disks });
    assert.deepEqual(leavingDisks({ disks })[0]?.sizeBytes, 9n);
    assert.equal(change?.set?.powerState, PowerState.POWER_STATE_SHUTDOWN);
  });

  it("is not cut short by who cancels the move: a guest that was told to shut down does so", async () => {
    const { ports } = await aMove();
    // A deletion does cut it short, and ends the guest at once.
    assert.deepEqual([exportGuest(ports).finishes, exportGuestThere.whenGivenUp], [true, "stops"]);
  });

  it("is undone by what keeps the guest, also before it ran", async () => {
    const { ports, moving, sent } = await aMove();
    const call = moving();
    for (let n = 0; n < 2; n++) assert.equal(await exportGuest(ports).undo?.(call), undefined);
    assert.deepEqual(
      sent.map(({ host, command, undoOf }) => [host, command, undoOf]),
      [
        [FROM, "keep-guest", call.stepId],
        [FROM, "keep-guest", call.stepId],
      ],
    );
  });

  it("waits with its undo for a host that is down: the guest could not be started there", async () => {
    const { ports, moving, down } = await aMove();
    down.add(FROM);
    await assert.rejects(async () => exportGuest(ports).undo?.(moving()), { kind: "unavailable" });
  });
});

describe("keep-running", () => {
  const steps = [claimedTo, left];

  it("does nothing, and has a guest that ran run again when it is undone", async () => {
    const { ports, moving, sent } = await aMove();
    doneOf(await keepRunning(ports).run(moving()));
    const change = await keepRunning(ports).undo?.(moving({}, { steps }));
    assert.deepEqual(
      sent.map(({ host, command }) => [host, command]),
      [[FROM, "power-on-guest"]],
    );
    assert.equal(change?.set?.powerState, PowerState.POWER_STATE_RUNNING);
    assert.equal(change?.set?.vmState, undefined);
  });

  it("starts nothing that was off, or that never was to leave", async () => {
    const off = await aMove({ wasOff: true });
    assert.equal(await keepRunning(off.ports).undo?.(off.moving({}, { steps })), undefined);
    const early = await aMove();
    assert.equal(await keepRunning(early.ports).undo?.(early.moving()), undefined);
    assert.deepEqual([off.sent, early.sent], [[], []]);
  });

  it("leaves a server STOPPED whose guest does not start again", async () => {
    const { ports, moving, failing } = await aMove();
    failing.add("power-on-guest");
    const agent = await ports.agents.at(moving().ctx, { cell: "cell1", host: FROM });
    const off = { defined: true, powerState: PowerState.POWER_STATE_SHUTDOWN };
    const at = async () => ({ ...agent, inspectGuest: async () => off }) as unknown as typeof agent;
    const change = await keepRunning({ ...ports, agents: { ...ports.agents, at } }).undo?.(
      moving({}, { steps }),
    );
    assert.deepEqual(
      [change?.set?.vmState, change?.set?.powerState],
      [VmState.VM_STATE_STOPPED, PowerState.POWER_STATE_SHUTDOWN],
    );
  });
});
