import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { MigrationChange, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { snakeCase } from "../../../kernel/case.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Acceptable, Form, OperationDeclaration } from "../../../model/operation-declaration.js";
import { LIFE } from "./lanes.js";

/**
 * Everything that changes with the acceptance of an operation: what the request carries, what the kind
 * declares, and the task state.
 * @param asked  the request's change
 * @returns undefined when nothing changes
 * @throws INVALID_ARGUMENT for a change that this operation may not make
 */
export function acceptedChange<I>(
  declaration: OperationDeclaration<I>,
  form: Form,
  call: Acceptable<I>,
  asked: InstanceChange | undefined,
): InstanceChange | undefined {
  const { lane, instant, migration } = declaration;
  if (asked !== undefined) checkAsked(lane, form, asked);
  const declared = migration?.(call);
  const made =
    declared &&
    MigrationChange.fromPartial({ migration: MigrationRecord.fromPartial(declared), create: true });
  const set = instant === undefined ? lifeSet(lane, form) : instant(call);
  if (set === undefined && made === undefined) return asked;
  const change = InstanceChange.fromPartial(asked ?? {});
  return {
    ...change,
    server: Server.fromPartial({ ...change.server, ...set }),
    updateMask: [...(change.updateMask ?? []), ...Object.keys(set ?? {}).map(snakeCase)],
    migrations: made === undefined ? change.migrations : [made, ...change.migrations],
  };
}

const lifeSet = (lane: string, { taskState }: Form): Partial<Server> | undefined =>
  lane === LIFE ? { taskState } : undefined;

function checkAsked(lane: string, { contention }: Form, { updateMask, deleteRecord }: InstanceChange): void {
  const refuse = (problem: string): never => {
    throw CommonErrors.INVALID_ARGUMENT({ field: "change", problem });
  };
  if (contention === "waits") refuse("what may have to wait for its turn changes nothing before");
  if (updateMask?.includes("task_state") === true) refuse("the kind declares the task state");
  if (deleteRecord) refuse(`nothing is deleted with an acceptance in the lane ${lane}`);
}
