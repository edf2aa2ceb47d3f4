import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { faultOf } from "../domain/faults.js";
import { defineKind } from "../engine/kind.js";
import { destroyGuest } from "../steps/destroy-guest.js";
import { erase } from "../steps/erase.js";
import { releaseAllocation } from "../steps/release-allocation.js";
import { releaseNetworks } from "../steps/release-networks.js";
import type { KindDeps } from "../kind-factory.js";

/**
 * The end of a server, whatever was being done to it: cleans up after the operation that it pre-empted. There
 * is only forward; what cannot be reached is tried again until an operator looks.
 */
export default ({ ports }: KindDeps) =>
  defineKind<undefined>({
    kind: "server.delete",
    version: 1,
    parseInput: () => undefined,
    steps: [destroyGuest(ports), releaseNetworks(ports), releaseAllocation(ports), erase(ports)],
    pivot: "destroy-guest",
    failed: ({ now }, error, details) => ({
      set: { vmState: VmState.VM_STATE_ERROR, taskState: "", fault: faultOf(error, details, now) },
    }),
  });
