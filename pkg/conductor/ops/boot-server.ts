import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import bootServer from "../../model/operations/boot-server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { allocateNetworks } from "../steps/allocate-networks.js";
import { buildGuest } from "../steps/build-guest.js";
import { claimHost } from "../steps/claim-host.js";
import { handOverToCell } from "../steps/hand-over.js";
import { selectDestinations } from "../steps/select-destinations.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * A host that fails is cleaned up and the next alternate claimed; without one the server ends in ERROR, with
 * all that was made taken back.
 */
export default ({ ports, factsOf, maxAttempts }: KindDeps) =>
  defineKind(bootServer, {
    version: 1,
    steps: [
      selectDestinations(ports, maxAttempts - 1),
      handOverToCell(ports),
      claimHost(ports),
      allocateNetworks({ neutron: ports.neutron, factsOf }),
      buildGuest(ports),
    ],
    failed: ({ now }, error, details) => ({
      set: { vmState: VmState.VM_STATE_ERROR, taskState: "", fault: faultOf(error, details, now) },
    }),
  });
