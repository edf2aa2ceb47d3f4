import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import bootServer, { BOOT_WITH_VOLUMES } from "../../model/operations/boot-server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { allocateNetworks } from "../steps/allocate-networks.js";
import { buildGuestOnVolumes } from "../steps/build-guest.js";
import { claimHost } from "../steps/claim-host.js";
import { connectVolumes } from "../steps/connect-volumes.js";
import { handOverToCell } from "../steps/hand-over.js";
import { prepareVolumes } from "../steps/prepare-volumes.js";
import { selectDestinations } from "../steps/select-destinations.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * As a boot without volumes. They are made and reserved once, whatever becomes of hosts; each host that is
 * tried is connected to them, and lets go of them again when it fails.
 */
export default ({ ports, factsOf, maxAttempts }: KindDeps) =>
  defineKind(bootServer, {
    version: BOOT_WITH_VOLUMES,
    steps: [
      selectDestinations(ports, maxAttempts - 1),
      handOverToCell(ports, { claims: false }),
      prepareVolumes(ports),
      claimHost(ports),
      allocateNetworks({ neutron: ports.neutron, factsOf }),
      connectVolumes(ports),
      buildGuestOnVolumes(ports),
    ],
    failed: ({ now }, error, details) => ({
      set: { vmState: VmState.VM_STATE_ERROR, taskState: "", fault: faultOf(error, details, now) },
    }),
  });
