import type { AcceptSubjectOperationRequest } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { formOf } from "../../../model/operation-declaration.js";
import { subjectOfRequest } from "../../operations/domain/subjects.js";
import { declarationOf, newOperation, tokenUse } from "../../operations/store/accept-operation.js";
import { busySubject } from "../../operations/store/accept-subject-operation.js";
import { placeAmong, preempted } from "../../operations/store/lanes.js";
import { nameOf } from "../../operations/store/operation-rows.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { Accepted } from "./accept-operation.js";
import type { TwinDatabase } from "./database.js";
import { end, requireHost } from "./lanes.js";
import type { TwinState } from "./state.js";
import { remember, replayed } from "./tokens.js";

/** Accepts an operation on a host, or on the cloud. @throws as the method of the contract */
export function acceptSubjectOperation(
  twin: TwinState,
  database: TwinDatabase,
  ctx: Ctx,
  request: AcceptSubjectOperationRequest,
): Accepted {
  const { deps } = twin;
  const subject = subjectOfRequest(request);
  const declaration = declarationOf(deps, request, subject.kind);
  const token = tokenUse(request);
  const [made] = replayed(database, token) ?? [];
  if (made !== undefined) return { operation: database.operation(made), replayed: true };
  if (subject.kind === "host") requireHost(database, declaration.capability, subject.id);
  const { lane } = declaration;
  const { contention } = formOf(declaration, request.input);
  const fence = (database.subjects.get(subject.id) ?? 0) + 1;
  const place = placeAmong(
    database.liveBeside(subject.id),
    { lane, contention },
    fence,
    busySubject(subject.kind),
  );
  const now = deps.clock.now();
  const operation = newOperation(
    deps,
    ctx,
    { ...place, id: deps.ids.uuid(), subject, projectId: "", declaration, request },
    now,
  );
  const ended = place.victim === undefined ? [] : [preempted(place.victim, nameOf(operation), now)];
  database.subjects.set(subject.id, fence);
  database.operations.set(operation.id, operation);
  end(twin, database, ended, "", now);
  remember(database, token, [nameOf(operation)]);
  database.tell([operationChanged(operation, "created"), ...ended.map((one) => operationChanged(one))]);
  return { operation, replayed: false };
}
