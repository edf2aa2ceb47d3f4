import type { AcceptedKind } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { ConductorErrors } from "../errors.js";
import type { OperationKind, Step } from "./kind.js";

const keyOf = (kind: string, version: number): string => `${kind} ${version}`;

/** The kinds and versions that this conductor can run, side by side. It acquires no others. */
export class Registry {
  readonly #kinds: ReadonlyMap<string, OperationKind>;

  constructor(kinds: readonly OperationKind[]) {
    this.#kinds = new Map(kinds.map((kind) => [keyOf(kind.kind, kind.version), kind]));
    if (this.#kinds.size !== kinds.length) throw new Error("one version of an operation kind is there twice");
  }

  get all(): readonly OperationKind[] {
    return [...this.#kinds.values()];
  }

  get accepted(): AcceptedKind[] {
    return this.all.map(({ kind, version }) => ({ kind, version }));
  }

  /** @throws UNKNOWN_KIND */
  get(kind: string, version: number): OperationKind {
    const found = this.#kinds.get(keyOf(kind, version));
    if (found === undefined) throw ConductorErrors.UNKNOWN_KIND({ kind: keyOf(kind, version) });
    return found;
  }
}

/**
 * Position of a step; the first for a fresh operation. @throws UNKNOWN_STEP for one that this version lacks
 */
export function stepIndex(kind: OperationKind, name: string): number {
  const index = name === "" ? 0 : kind.steps.findIndex((step) => step.name === name);
  if (index < 0) throw ConductorErrors.UNKNOWN_STEP({ kind: keyOf(kind.kind, kind.version), step: name });
  return index;
}

/** @throws RangeError: a bug, since indexes come from `stepIndex` */
export function stepAt(kind: OperationKind, index: number): Step {
  const step = kind.steps[index];
  if (step === undefined) throw new RangeError(`${kind.kind} has no step ${index}`);
  return step;
}

/** Whether the step at this index can no longer be undone. */
export const isPastPivot = (kind: OperationKind, index: number): boolean =>
  kind.pivot !== undefined && index >= stepIndex(kind, kind.pivot);
