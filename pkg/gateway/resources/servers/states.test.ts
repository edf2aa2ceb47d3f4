import assert from "node:assert/strict";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { vmStateWord } from "../../../model/instance-states.js";
import { statesOfStatuses, statusOf } from "./states.js";

describe("gateway: server states", () => {
  const rows: readonly [vmState: VmState, task: string, status: string][] = [
    [VmState.VM_STATE_ACTIVE, "", "ACTIVE"],
    [VmState.VM_STATE_ACTIVE, "powering-off", "ACTIVE"],
    [VmState.VM_STATE_ACTIVE, "rebooting", "REBOOT"],
    [VmState.VM_STATE_ACTIVE, "rebooting_hard", "HARD_REBOOT"],
    [VmState.VM_STATE_ACTIVE, "updating_password", "PASSWORD"],
    [VmState.VM_STATE_ACTIVE, "rebuild_spawning", "REBUILD"],
    [VmState.VM_STATE_ACTIVE, "migrating", "MIGRATING"],
    [VmState.VM_STATE_ACTIVE, "resize_prep", "RESIZE"],
    [VmState.VM_STATE_BUILDING, "spawning", "BUILD"],
    [VmState.VM_STATE_STOPPED, "", "SHUTOFF"],
    [VmState.VM_STATE_STOPPED, "rebooting_hard", "SHUTOFF"],
    [VmState.VM_STATE_STOPPED, "resize_finish", "RESIZE"],
    [VmState.VM_STATE_RESIZED, "", "VERIFY_RESIZE"],
    [VmState.VM_STATE_RESIZED, "resize_reverting", "REVERT_RESIZE"],
    [VmState.VM_STATE_PAUSED, "migrating", "MIGRATING"],
    [VmState.VM_STATE_SUSPENDED, "", "SUSPENDED"],
    [VmState.VM_STATE_RESCUED, "", "RESCUE"],
    [VmState.VM_STATE_ERROR, "", "ERROR"],
    [VmState.VM_STATE_ERROR, "rebuilding", "REBUILD"],
    [VmState.VM_STATE_SOFT_DELETED, "", "SOFT_DELETED"],
    [VmState.VM_STATE_SHELVED, "", "SHELVED"],
    [VmState.VM_STATE_SHELVED_OFFLOADED, "", "SHELVED_OFFLOADED"],
    [VmState.VM_STATE_UNSPECIFIED, "", "UNKNOWN"],
  ];
  for (const [vmState, task, status] of rows) {
    it(`${vmStateWord(vmState) || "unset"} ${task} is ${status}`, () =>
      assert.equal(statusOf(vmState, task, false), status));
  }

  it("a deleted record is DELETED", () =>
    assert.equal(statusOf(VmState.VM_STATE_ERROR, "deleting", true), "DELETED"));

  it("every status selects a state that shows it", () => {
    for (const status of new Set(rows.map(([, , name]) => name).filter((name) => name !== "UNKNOWN"))) {
      const { vmStates, taskStates } = statesOfStatuses([status.toLowerCase()]);
      assert.ok(
        vmStates.some((vmState) =>
          (taskStates.length === 0 ? [""] : taskStates).some(
            (task) => statusOf(vmState, task, false) === status,
          ),
        ),
        status,
      );
    }
  });
});
