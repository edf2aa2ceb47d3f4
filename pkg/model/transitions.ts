import { VmState } from "../../gen/kilonova/type/v1/server.js";

const {
  VM_STATE_ACTIVE: ACTIVE,
  VM_STATE_STOPPED: STOPPED,
  VM_STATE_PAUSED: PAUSED,
  VM_STATE_SUSPENDED: SUSPENDED,
  VM_STATE_ERROR: ERROR,
} = VmState;

/**
 * Legal changes of the lasting state: target by source. An operation that asks for another one is a bug,
 * found by the commit that would store it.
 */
const LEGAL: ReadonlyMap<VmState, ReadonlySet<VmState>> = new Map([
  [VmState.VM_STATE_BUILDING, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_DELETED])],
  [
    ACTIVE,
    new Set<VmState>([
      STOPPED,
      ERROR,
      PAUSED,
      SUSPENDED,
      VmState.VM_STATE_RESCUED,
      VmState.VM_STATE_RESIZED,
      VmState.VM_STATE_SHELVED,
      VmState.VM_STATE_SHELVED_OFFLOADED,
      VmState.VM_STATE_SOFT_DELETED,
      VmState.VM_STATE_DELETED,
    ]),
  ],
  [
    STOPPED,
    new Set<VmState>([
      ACTIVE,
      ERROR,
      VmState.VM_STATE_RESCUED,
      VmState.VM_STATE_RESIZED,
      VmState.VM_STATE_SHELVED,
      VmState.VM_STATE_SHELVED_OFFLOADED,
      VmState.VM_STATE_SOFT_DELETED,
      VmState.VM_STATE_DELETED,
    ]),
  ],
  [
    PAUSED,
    new Set<VmState>([
      ACTIVE,
      STOPPED,
      ERROR,
      VmState.VM_STATE_SHELVED,
      VmState.VM_STATE_SHELVED_OFFLOADED,
      VmState.VM_STATE_SOFT_DELETED,
      VmState.VM_STATE_DELETED,
    ]),
  ],
  [
    SUSPENDED,
    new Set<VmState>([
      ACTIVE,
      STOPPED,
      ERROR,
      VmState.VM_STATE_SHELVED,
      VmState.VM_STATE_SHELVED_OFFLOADED,
      VmState.VM_STATE_SOFT_DELETED,
      VmState.VM_STATE_DELETED,
    ]),
  ],
  [
    VmState.VM_STATE_RESCUED,
    new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED]),
  ],
  [
    VmState.VM_STATE_RESIZED,
    new Set<VmState>([ACTIVE, STOPPED, ERROR, VmState.VM_STATE_SOFT_DELETED, VmState.VM_STATE_DELETED]),
  ],
  [VmState.VM_STATE_SOFT_DELETED, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_DELETED])],
  [
    ERROR,
    new Set<VmState>([
      ACTIVE,
      STOPPED,
      VmState.VM_STATE_RESCUED,
      VmState.VM_STATE_SOFT_DELETED,
      VmState.VM_STATE_DELETED,
    ]),
  ],
  [
    VmState.VM_STATE_SHELVED,
    new Set<VmState>([ACTIVE, VmState.VM_STATE_SHELVED_OFFLOADED, ERROR, VmState.VM_STATE_DELETED]),
  ],
  [VmState.VM_STATE_SHELVED_OFFLOADED, new Set<VmState>([ACTIVE, ERROR, VmState.VM_STATE_DELETED])],
  [VmState.VM_STATE_DELETED, new Set<VmState>()],
]);

/** Whether a record in state `from` may be stored in state `to`. */
export const mayBecome = (from: VmState, to: VmState): boolean =>
  from === to || (LEGAL.get(from)?.has(to) ?? false);
