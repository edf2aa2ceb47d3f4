import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import deleteServer from "../../model/operations/delete-server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { destroyGuest } from "../steps/destroy-guest.js";
import { erase } from "../steps/erase.js";
import { releaseAllocation } from "../steps/release-allocation.js";
import { releaseNetworks } from "../steps/release-networks.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * Cleans up after the operation that it pre-empted. There is only forward; what cannot be reached is tried
 * again until an operator looks.
 */
export default ({ ports }: KindDeps) =>
  defineKind(deleteServer, {
    steps: [destroyGuest(ports), releaseNetworks(ports), releaseAllocation(ports), erase(ports)],
    failed: ({ now }, error, details) => ({
      set: { vmState: VmState.VM_STATE_ERROR, taskState: "", fault: faultOf(error, details, now) },
    }),
  });
