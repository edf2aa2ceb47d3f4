import { InstanceChange } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { snakeCase } from "../../kernel/case.js";
import type { Change } from "./kind.js";

/** Puts the task state that the next step shows on top of what a step changed. */
export function withTaskState(change: Change | undefined, taskState: string | undefined): Change | undefined {
  return taskState === undefined ? change : { ...change, set: { ...change?.set, taskState } };
}

/** Changes with the description: masks have one path for both. */
const WITHOUT_PATH: ReadonlySet<string> = new Set(["hasDescription"]);

/** A change as the cells service takes it: exactly the fields named, cleared ones included. */
export function toInstanceChange(change: Change | undefined): InstanceChange | undefined {
  if (change === undefined) return undefined;
  const set = change.set ?? {};
  return {
    ...InstanceChange.fromPartial(change.more ?? {}),
    server: Server.fromPartial(set as Partial<Server>),
    updateMask: Object.keys(set)
      .filter((field) => !WITHOUT_PATH.has(field))
      .map(snakeCase),
    ports: [...(change.ports ?? [])],
    replacePorts: change.ports !== undefined,
    putPorts: [...(change.putPorts ?? [])],
    removePorts: [...(change.removePorts ?? [])],
    deleteRecord: change.deleteRecord ?? false,
    dropFault: change.dropFault ?? false,
    dropKept: change.dropKept ?? false,
  };
}
