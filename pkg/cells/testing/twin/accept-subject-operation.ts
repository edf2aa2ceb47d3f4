import type { AcceptSubjectOperationRequest } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { formOf } from "../../../model/operation-declaration.js";
import { declarationOf } from "../../operations/domain/asked-operation.js";
import { allPreempted } from "../../operations/domain/ended-early.js";
import { busySubject, placeAmong } from "../../operations/domain/lanes.js";
import { newOperation } from "../../operations/domain/new-operation.js";
import { nameOf } from "../../operations/domain/operation-rows.js";
import { subjectOfRequest } from "../../operations/domain/subjects.js";
import { tokenUse } from "../../operations/domain/token-use.js";
import { sealedSecrets } from "../../operations/store/secrets.js";
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
  const declaration = declarationOf(deps.operations, request, subject.kind);
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
  const id = deps.ids.uuid();
  const operation = newOperation(
    {
      id,
      subject,
      projectId: "",
      declaration,
      request,
      requestId: ctx.requestId,
      secrets: sealedSecrets(deps, request.secrets, id),
      place,
    },
    now,
  );
  const ended = allPreempted(place, nameOf(operation), now);
  database.subjects.set(subject.id, fence);
  database.operations.set(operation.id, operation);
  end(twin, database, ended, "", now);
  remember(database, token, [nameOf(operation)]);
  database.tell([operationChanged(operation, "created"), ...ended.map((one) => operationChanged(one))]);
  return { operation, replayed: false };
}
