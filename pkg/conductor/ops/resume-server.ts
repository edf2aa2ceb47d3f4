import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import resumeGuest from "../../compute/commands/resume-guest.js";
import resumeServer from "../../model/operations/resume-server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { guestStep } from "../steps/guest-step.js";
import type { KindDeps } from "../kind-factory.js";

/** What the agent answers when there is nothing to go on from. */
const LOST = "SAVED_MEMORY_LOST";

export default ({ ports }: KindDeps) =>
  defineKind(resumeServer, {
    steps: [
      guestStep(ports, resumeServer, {
        name: "resume",
        event: "compute_resume_instance",
        timeoutMs: 3_600_000,
        command: resumeGuest,
        input: ({ instance }) => ({ instance }),
        power: PowerState.POWER_STATE_RUNNING,
      }),
    ],
    // While the memory is there it can be tried again; Nova puts the server in error in any case.
    failed: ({ now }, error, details) => ({
      set: {
        taskState: "",
        fault: faultOf(error, details, now),
        ...(error.reason === LOST ? { vmState: VmState.VM_STATE_ERROR } : {}),
      },
    }),
  });
