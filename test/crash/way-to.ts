import { VmState } from "../../gen/kilonova/type/v1/server.js";
import { exampleInput, formOf } from "../../pkg/model/operation-declaration.js";
import type { OperationDeclaration } from "../../pkg/model/operation-declaration.js";

const startsFrom = (one: OperationDeclaration, state: VmState): boolean =>
  formOf(one, exampleInput(one)).vmStates?.includes(state) ?? true;

/**
 * The operations that bring a new server into a state from which another one starts, by what they declare;
 * the shortest way.
 * @throws when no way leads there
 */
export function wayTo(
  wanted: OperationDeclaration,
  all: readonly OperationDeclaration[],
): readonly OperationDeclaration[] {
  const ways: { state: VmState; way: readonly OperationDeclaration[] }[] = [
    { state: VmState.VM_STATE_ACTIVE, way: [] },
  ];
  const seen = new Set<VmState>([VmState.VM_STATE_ACTIVE]);
  for (const { state, way } of ways) {
    if (startsFrom(wanted, state)) return way;
    for (const one of all) {
      if (!startsFrom(one, state) || one.instant !== undefined) continue;
      // Where it may end in several ways, only its example can say in which.
      const [first, ...others] = one.ends;
      const end = one.example?.end ?? (others.length > 0 ? undefined : first);
      if (end === undefined) continue;
      if (end === VmState.VM_STATE_DELETED || seen.has(end)) continue;
      seen.add(end);
      ways.push({ state: end, way: [...way, one] });
    }
  }
  throw new Error(`no way leads to a state from which ${wanted.kind} starts`);
}
