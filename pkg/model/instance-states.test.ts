import assert from "node:assert/strict";
import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { serverStatus, statesOfStatus, vmStateOf, vmStateWord } from "./instance-states.js";
import { mayBecome } from "./transitions.js";
import { parseOperationName, operationName } from "./operation-name.js";
import { fromTimestamp, toTimestamp } from "./wire-time.js";

describe("serverStatus", () => {
  const cases: [VmState, string, string][] = [
    [VmState.VM_STATE_ACTIVE, "", "ACTIVE"], [VmState.VM_STATE_ACTIVE, "powering-off", "ACTIVE"], [VmState.VM_STATE_ACTIVE, "reboot_started", "REBOOT"],
    [VmState.VM_STATE_STOPPED, "rebooting_hard", "SHUTOFF"], [VmState.VM_STATE_ERROR, "rebuild_spawning", "REBUILD"], [VmState.VM_STATE_PAUSED, "migrating", "MIGRATING"],
    [VmState.VM_STATE_RESIZED, "resize_reverting", "REVERT_RESIZE"], [VmState.VM_STATE_UNSPECIFIED, "", "UNKNOWN"],
  ];
  for (const [vm, task, status] of cases) it(`shows ${status} for ${vmStateWord(vm) || "nothing"} with task '${task}'`, () => assert.equal(serverStatus(vm, task), status));
  it("shows DELETED for a deleted record", () => assert.equal(serverStatus(VmState.VM_STATE_ACTIVE, "", true), "DELETED"));
});

describe("statesOfStatus", () => {
  it("takes a usual status as its vm_state with any task", () => assert.deepEqual(statesOfStatus("active"), { vmStates: [VmState.VM_STATE_ACTIVE], taskStates: undefined }));
  it("takes REBOOT as active with the reboot tasks", () =>
    assert.deepEqual(statesOfStatus("REBOOT"), { vmStates: [VmState.VM_STATE_ACTIVE], taskStates: ["rebooting", "reboot_pending", "reboot_started"] }));
  it("knows no other words", () => assert.equal(statesOfStatus("BROKEN"), undefined));
});

describe("words of states", () => {
  it("reads back what it writes, for every vm_state", () => {
    for (const state of Object.values(VmState)) if (state !== 0) assert.equal(vmStateOf(vmStateWord(state)), state);
  });
  it("lets nothing leave DELETED", () => assert.equal(mayBecome(VmState.VM_STATE_DELETED, VmState.VM_STATE_ACTIVE), false));
});

describe("operation names", () => {
  const a = "6f70656e-7374-4163-8b00-000000000001", b = "6f70656e-7374-4163-8b00-000000000002";
  it("are read back", () => assert.deepEqual(parseOperationName(operationName(a, b)), { serverId: a, operationId: b }));
  for (const bad of ["", "operations/x/y", `operations/${a}`, `operations/${a}/${b}/c`, `ops/${a}/${b}`]) it(`refuses '${bad}'`, () => assert.equal(parseOperationName(bad), undefined));
});

describe("timestamps", () => {
  for (const at of [0n, 1_767_225_600_123_456n, -1n]) it(`keeps ${at}`, () => assert.equal(fromTimestamp(toTimestamp(at)), at));
});
