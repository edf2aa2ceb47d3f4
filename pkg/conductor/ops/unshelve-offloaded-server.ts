import type { UnshelveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { RequestPurpose } from "../../../gen/kilonova/scheduler/v1/scheduler_service.js";
import type { OperationError } from "../../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { TaskState } from "../../model/instance-states.js";
import unshelveServer, { UNSHELVE_OFFLOADED } from "../../model/operations/unshelve-server.js";
import { defineKind } from "../engine/kind.js";
import type { Change, StepCall } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import { awaitLanes } from "../steps/await-lanes.js";
import { buildShelvedGuest } from "../steps/build-guest.js";
import { claimHost } from "../steps/claim-host.js";
import { clearHost } from "../steps/clear-host.js";
import { connectVolumes } from "../steps/connect-volumes.js";
import { keepsItsState } from "../steps/guest-step.js";
import { placePorts } from "../steps/place-ports.js";
import { searchHost } from "../steps/select-destinations.js";
import type { Wishes } from "../steps/select-destinations.js";
import { endShelving } from "../steps/shelved-image.js";
import type { KindDeps } from "../kind-factory.js";

const IMAGE_GONE = ConductorErrors.SHELVED_IMAGE_GONE({ image: "" }).reason;

/** Only its own cell has its record. The zone is the server's from now on when it has come there. */
function wishes({ input, instance: { spec }, database }: StepCall<UnshelveInput>): Wishes {
  const { movesZone, availabilityZone, host } = input;
  return {
    ...(spec === undefined ? {} : { spec: movesZone ? { ...spec, availabilityZone } : spec }),
    ...(host === "" ? {} : { requestedDestination: { host, node: "", forced: false } }),
    onlyCells: [database],
  };
}

const movedZone = ({ input, instance: { spec } }: StepCall<UnshelveInput>): Change =>
  input.movesZone && spec !== undefined
    ? {
        set: { pinnedAvailabilityZone: input.availabilityZone },
        more: {
          spec: { ...spec, availabilityZone: input.availabilityZone },
          specMask: ["availability_zone"],
        },
      }
    : {};

/**
 * Looks for a host and builds the guest there as it was. Without one, or when none can, the server is
 * offloaded as before, and may be asked for again; without its image it cannot, and is in ERROR, as in Nova.
 */
export default ({ ports, factsOf, maxAttempts }: KindDeps) => {
  const end = endShelving<UnshelveInput>(ports);
  return defineKind(unshelveServer, {
    version: UNSHELVE_OFFLOADED,
    steps: [
      awaitLanes(ports),
      searchHost(ports, {
        event: "",
        alternates: maxAttempts - 1,
        purpose: RequestPurpose.REQUEST_PURPOSE_UNSHELVE,
        wishes,
      }),
      // It tells, too, that there is no host.
      claimHost(ports, { event: "schedule_instances", taskState: TaskState.unshelving }),
      clearHost(ports),
      placePorts({ neutron: ports.neutron, factsOf }),
      { ...connectVolumes(ports), event: "", taskState: TaskState.spawning },
      buildShelvedGuest(ports),
      {
        ...end,
        run: async (call) => {
          const result = await end.run(call);
          return result.kind === "done"
            ? { ...result, change: joined(result.change, movedZone(call)) }
            : result;
        },
      },
    ],
    failed,
  });
};

/**
 * The server is offloaded as before, also when an operator had to look after it. Only one without its image
 * cannot come back.
 */
export function failed(call: StepCall<UnshelveInput>, error: OperationError, details: string): Change {
  const { set } = keepsItsState(call, error, details);
  const vmState = error.reason === IMAGE_GONE ? VmState.VM_STATE_ERROR : VmState.VM_STATE_SHELVED_OFFLOADED;
  return { set: { ...set, vmState, powerState: PowerState.POWER_STATE_SHUTDOWN } };
}

const joined = (one: Change = {}, other: Change): Change => ({
  ...one,
  ...other,
  set: { ...one.set, ...other.set },
  more: { ...one.more, ...other.more },
});
