import { OperationState } from "../../gen/kilonova/type/v1/operation.js";

/** How each state is spelled in SQL. */
const WORDS: ReadonlyMap<OperationState, string> = new Map<OperationState, string>([
  [OperationState.OPERATION_STATE_RUNNING, "running"],
  [OperationState.OPERATION_STATE_PARKED, "parked"],
  [OperationState.OPERATION_STATE_UNDOING, "undoing"],
  [OperationState.OPERATION_STATE_SUCCEEDED, "succeeded"],
  [OperationState.OPERATION_STATE_FAILED, "failed"],
  [OperationState.OPERATION_STATE_CANCELLED, "cancelled"],
  [OperationState.OPERATION_STATE_PREEMPTED, "preempted"],
  [OperationState.OPERATION_STATE_NEEDS_OPERATOR, "needs-operator"],
]);
const STATES: ReadonlyMap<string, OperationState> = new Map([...WORDS].map(([state, word]) => [word, state]));

/** @throws RangeError for an unset state: nothing may be stored without one */
export function operationStateWord(state: OperationState): string {
  const word = WORDS.get(state);
  if (word === undefined) throw new RangeError(`no operation state: ${state}`);
  return word;
}

/** The state of a stored word; unset for one that this version does not know. */
export const operationStateOf = (word: string): OperationState =>
  STATES.get(word) ?? OperationState.OPERATION_STATE_UNSPECIFIED;

/** Whether an operation in this state still owns its instance. */
export const isLive = (state: OperationState): boolean =>
  state === OperationState.OPERATION_STATE_RUNNING ||
  state === OperationState.OPERATION_STATE_PARKED ||
  state === OperationState.OPERATION_STATE_UNDOING;

/** What an operation waits for that was accepted beside one that wants to be alone: for the end of that. */
export const LANES_OPEN = "lanes-open";

const STEP_RESULTS: Readonly<Record<string, string>> = { done: "success", failed: "error", undone: "undone" };

/** What users see of how a step went; "" while it has not ended. @param state  the stored word */
export const stepResult = (state: string): string | undefined => STEP_RESULTS[state];
