import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { MigrationChange, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { snakeCase } from "../../../kernel/case.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import type { Acceptable, Form, OperationDeclaration } from "../../../model/operation-declaration.js";
import { operationName } from "../../../model/operation-name.js";
import { planChange } from "../../servers/domain/plan-change.js";
import type { ChangedServer, KnownRows } from "../../servers/domain/plan-change.js";
import { serverOf } from "../../servers/domain/records.js";
import { LIFE } from "./lanes.js";
import type { LanePlace } from "./lanes.js";
import { newOperation } from "./new-operation.js";
import type { NewOperation } from "./new-operation.js";
import type { OperationRow } from "./rows.js";

/** An operation on a server that is fit to be accepted. */
export interface Acceptance {
  readonly request: AcceptOperationRequest;
  readonly declaration: OperationDeclaration;
  readonly form: Form;
  readonly record: InstanceRecord;
  /** Name of the operation that owns the server before it. */
  readonly owner: string;
  /** The operation's uuid. */
  readonly id: string;
  /** What changes with it. */
  readonly change: InstanceChange | undefined;
  /** Rows by which the change is decided. */
  readonly known: KnownRows;
  /** Numbers for migrations. */
  readonly numbers: readonly bigint[];
}

/** The row of an operation on a server, before it is stored. */
export const acceptedOperation = (
  { request, declaration, record, id }: Acceptance,
  place: LanePlace,
  given: Pick<NewOperation, "requestId" | "secrets">,
  now: Instant,
): OperationRow =>
  newOperation(
    {
      id,
      subject: { kind: "server", id: request.serverId },
      projectId: serverOf(record).projectId,
      declaration,
      request,
      place,
      ...given,
    },
    now,
  );

/**
 * The server and its rows after an acceptance; undefined when nothing of it changes. In the lane "life" it is
 * the new operation's from then on, unless that is done with its acceptance; one that is, and takes over
 * everything, leaves it to nobody.
 */
export function acceptedServer(
  { request, declaration, form, record, owner, id, change, known, numbers }: Acceptance,
  now: Instant,
  newId: () => string,
): ChangedServer | undefined {
  if (change === undefined) return undefined;
  const operation = operationName(request.serverId, id);
  const isInstant = declaration.instant !== undefined;
  const leftTo = form.contention === "pre-empts-all" ? "" : owner;
  return planChange(record, change, known, {
    owner: declaration.lane === LIFE && !isInstant ? operation : isInstant ? leftTo : owner,
    operation,
    operationId: id,
    userId: request.actor?.userId ?? "",
    now,
    newId,
    numbers,
  });
}

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
  const { lane, instant, migration, endsMigration } = declaration;
  if (asked !== undefined) checkAsked(lane, form, asked);
  const declared = migration?.(call);
  const made =
    declared &&
    MigrationChange.fromPartial({ migration: MigrationRecord.fromPartial(declared), create: true });
  const ended = endsMigration?.(call.input);
  // It changes nothing yet, but has to be there.
  const named = ended === undefined ? [] : [MigrationChange.fromPartial({ migration: { id: ended } })];
  const set = instant === undefined ? lifeSet(lane, form) : instant(call);
  if (set === undefined && made === undefined && ended === undefined) return asked;
  const change = InstanceChange.fromPartial(asked ?? {});
  return {
    ...change,
    server: Server.fromPartial({ ...change.server, ...set }),
    updateMask: [...(change.updateMask ?? []), ...Object.keys(set ?? {}).map(snakeCase)],
    migrations: [...(made === undefined ? named : [made]), ...change.migrations],
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
