import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { catalogue } from "./operation-catalogue.js";
import type { OperationDeclaration } from "./operation-declaration.js";

const EVERY = Object.values(VmState).filter(
  (state) => state !== VmState.VM_STATE_UNSPECIFIED && state !== VmState.VM_STATE_DELETED,
);

/** Legal changes of the lasting state: targets by source, as the operations declare them. */
export function transitionsOf(
  declarations: readonly OperationDeclaration[],
): ReadonlyMap<VmState, ReadonlySet<VmState>> {
  const legal = new Map<VmState, Set<VmState>>();
  for (const { forms, ends } of declarations)
    for (const from of Object.values(forms).flatMap(({ vmStates }) => vmStates ?? EVERY)) {
      const targets = legal.get(from) ?? new Set();
      for (const to of ends) targets.add(to);
      legal.set(from, targets);
    }
  return legal;
}

/** Where operations end, deletions aside. */
const OF_OPERATIONS: ReadonlySet<VmState> = new Set(
  catalogue.all.flatMap(({ ends }) => ends).filter((state) => state !== VmState.VM_STATE_DELETED),
);

/** Changes that no operation declares. */
const isUndeclared = (from: VmState, to: VmState): boolean =>
  // The guest ended by itself.
  ((from === VmState.VM_STATE_ACTIVE || from === VmState.VM_STATE_PAUSED) &&
    to === VmState.VM_STATE_STOPPED) ||
  // An operation failed, or nobody can finish it.
  (from !== VmState.VM_STATE_DELETED && to === VmState.VM_STATE_ERROR) ||
  // One that an operator had to look after goes on in ERROR, and ends wherever it would have ended.
  (from === VmState.VM_STATE_ERROR && OF_OPERATIONS.has(to));

const LEGAL = transitionsOf(catalogue.all);

/**
 * Whether a record in state `from` may be stored in state `to`. An operation that asks for another one is a
 * bug, found by the commit that would store it.
 */
export const mayBecome = (from: VmState, to: VmState): boolean =>
  from === to || isUndeclared(from, to) || (LEGAL.get(from)?.has(to) ?? false);
