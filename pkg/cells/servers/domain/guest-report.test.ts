import assert from "node:assert/strict";
import { PowerState, VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { aServer } from "../../testing/records.js";
import { afterGuestReport, isStop, letBe, verdictOn } from "./guest-report.js";

const {
  POWER_STATE_RUNNING: RUNNING,
  POWER_STATE_SHUTDOWN: SHUTDOWN,
  POWER_STATE_CRASHED: CRASHED,
  POWER_STATE_SUSPENDED: SUSPENDED,
  POWER_STATE_PAUSED: PAUSED,
  POWER_STATE_NOSTATE: NOSTATE,
} = PowerState;
const id = "6f70656e-7374-4163-8b00-000000000001";

const fault = {
  code: 500,
  message: "The disk is missing.",
  details: "",
  reason: "NO_DISK",
  createdAt: undefined,
};

describe("afterGuestReport", () => {
  it("stops a server whose guest powered itself off", () =>
    assert.deepEqual(afterGuestReport(aServer({ id }), SHUTDOWN), {
      vmState: VmState.VM_STATE_STOPPED,
      powerState: SHUTDOWN,
    }));
  it("stops a server whose guest crashed, and says that its power is off", () =>
    assert.deepEqual(afterGuestReport(aServer({ id }), CRASHED), {
      vmState: VmState.VM_STATE_STOPPED,
      powerState: SHUTDOWN,
    }));
  it("stops an active server whose guest is suspended, and keeps in mind that it is", () =>
    assert.deepEqual(afterGuestReport(aServer({ id }), SUSPENDED), {
      vmState: VmState.VM_STATE_STOPPED,
      powerState: SUSPENDED,
    }));
  it("stops a paused server whose guest has ended, and none whose guest runs", () => {
    const paused = aServer({ id, vmState: VmState.VM_STATE_PAUSED, powerState: PAUSED });
    for (const power of [SHUTDOWN, CRASHED])
      assert.deepEqual(afterGuestReport(paused, power), {
        vmState: VmState.VM_STATE_STOPPED,
        powerState: SHUTDOWN,
      });
    assert.equal(afterGuestReport(paused, RUNNING)?.vmState, VmState.VM_STATE_PAUSED);
    assert.equal(afterGuestReport(paused, SUSPENDED)?.vmState, VmState.VM_STATE_PAUSED);
  });
  it("leaves an active server alone whose guest is paused or not to be found", () => {
    for (const power of [PAUSED, NOSTATE])
      assert.deepEqual(afterGuestReport(aServer({ id }), power), {
        vmState: VmState.VM_STATE_ACTIVE,
        powerState: power,
      });
  });
  it("leaves a suspended server alone, whatever its guest does", () => {
    const suspended = aServer({ id, vmState: VmState.VM_STATE_SUSPENDED, powerState: SUSPENDED });
    assert.equal(afterGuestReport(suspended, SUSPENDED), undefined);
    assert.equal(afterGuestReport(suspended, SHUTDOWN)?.vmState, VmState.VM_STATE_SUSPENDED);
  });
  it("hears nothing new of a crashed guest whose server is stopped", () =>
    assert.equal(
      afterGuestReport(aServer({ id, vmState: VmState.VM_STATE_STOPPED, powerState: SHUTDOWN }), CRASHED),
      undefined,
    ));
  it("puts a server in error whose guest could not be brought back up", () =>
    assert.deepEqual(afterGuestReport(aServer({ id }), SHUTDOWN, fault), {
      vmState: VmState.VM_STATE_ERROR,
      powerState: SHUTDOWN,
      fault,
    }));
  it("keeps a rescued server rescued when its guest ends, and says that its power is off", () =>
    assert.deepEqual(afterGuestReport(aServer({ id, vmState: VmState.VM_STATE_RESCUED }), SHUTDOWN), {
      vmState: VmState.VM_STATE_RESCUED,
      powerState: SHUTDOWN,
    }));
  it("puts a rescued server in error, too, whose guest could not be brought back up", () =>
    assert.deepEqual(afterGuestReport(aServer({ id, vmState: VmState.VM_STATE_RESCUED }), SHUTDOWN, fault), {
      vmState: VmState.VM_STATE_ERROR,
      powerState: SHUTDOWN,
      fault,
    }));
  it("hears of no fault when the server was stopped meanwhile", () =>
    assert.equal(
      afterGuestReport(
        aServer({ id, vmState: VmState.VM_STATE_STOPPED, powerState: SHUTDOWN }),
        SHUTDOWN,
        fault,
      ),
      undefined,
    ));
  it("leaves a server alone that an operation owns", () =>
    assert.equal(afterGuestReport(aServer({ id, currentOperation: "operations/a/b" }), SHUTDOWN), undefined));
  it("changes nothing when nothing is new", () =>
    assert.equal(afterGuestReport(aServer({ id }), RUNNING), undefined));
  it("records power without touching another lasting state", () =>
    assert.deepEqual(afterGuestReport(aServer({ id, vmState: VmState.VM_STATE_ERROR }), SHUTDOWN), {
      vmState: VmState.VM_STATE_ERROR,
      powerState: SHUTDOWN,
    }));
});

describe("what becomes of a guest that was reported", () => {
  const stopped = aServer({ id, vmState: VmState.VM_STATE_STOPPED, powerState: SHUTDOWN });

  it("must stop when it runs or is paused although its server is stopped", () => {
    for (const power of [RUNNING, PAUSED])
      assert.deepEqual(verdictOn(stopped, power, 7n), { mustStop: true, fence: 7n });
  });
  it("goes on when it is off already, suspended, or not to be found", () => {
    for (const power of [SHUTDOWN, CRASHED, SUSPENDED, NOSTATE])
      assert.equal(verdictOn(stopped, power, 7n), letBe);
  });
  it("goes on while something owns its server", () => {
    assert.equal(verdictOn({ ...stopped, currentOperation: "operations/a/b" }, RUNNING, 7n), letBe);
    assert.equal(verdictOn({ ...stopped, taskState: "powering-on" }, RUNNING, 7n), letBe);
  });
  it("goes on whatever else its server is", () => {
    const {
      VM_STATE_ACTIVE,
      VM_STATE_PAUSED,
      VM_STATE_ERROR,
      VM_STATE_RESCUED,
      VM_STATE_SUSPENDED,
      VM_STATE_SOFT_DELETED,
    } = VmState;
    for (const vmState of [
      VM_STATE_ACTIVE,
      VM_STATE_PAUSED,
      VM_STATE_ERROR,
      VM_STATE_RESCUED,
      VM_STATE_SUSPENDED,
      VM_STATE_SOFT_DELETED,
    ])
      assert.equal(verdictOn({ ...stopped, vmState }, RUNNING, 7n), letBe);
  });
  it("is a stop in the timeline when the server stops, and when the guest of a stopped one does", () => {
    const active = { vmState: VmState.VM_STATE_ACTIVE, powerState: RUNNING };
    assert.ok(isStop(active, stopped));
    assert.ok(isStop({ ...stopped, powerState: RUNNING }, stopped));
    assert.ok(!isStop(stopped, { ...stopped, powerState: RUNNING }));
    assert.ok(!isStop({ ...stopped, powerState: SUSPENDED }, stopped));
    assert.ok(!isStop(active, { ...active, powerState: PAUSED }));
  });
});
