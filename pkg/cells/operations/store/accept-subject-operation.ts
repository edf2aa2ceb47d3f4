import { sql } from "../../store/sql.js";
import type { AcceptSubjectOperationRequest } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { SubjectKind } from "../../../model/operation-name.js";
import { violates } from "../../../platform/db/index.js";
import { CellsErrors } from "../../errors.js";
import { subjectOfRequest } from "../domain/subjects.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";
import { declarationOf, newOperation, readOperation, tokenUse } from "./accept-operation.js";
import type { Accepted } from "./accept-operation.js";
import { requireHost } from "./capability.js";
import { replayOf, tokenRow } from "./client-tokens.js";
import { endingParts, placeBeside, preempted } from "./lanes.js";
import { nameOf, toStored } from "./operation-rows.js";

/**
 * Accepts an operation on a host, or on the cloud, as its kind declares: token, the host and its capability,
 * and mutual exclusion in its lane in one transaction.
 * @param store  the host's cell; the global database for the cloud
 * @throws UNKNOWN_KIND, HOST_NOT_FOUND, HOST_CANNOT, SUBJECT_BUSY, TOKEN_REUSED
 */
export async function acceptSubjectOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptSubjectOperationRequest,
): Promise<Accepted> {
  const attempt = (): Promise<Accepted> =>
    store.db.write(ctx, "operations.accept", (tx) => accept(store, deps, ctx, tx, request));
  try {
    return await attempt();
  } catch (error) {
    // The same token came twice at once: now the other one is stored, and answers.
    if (violates(error, "client_token_once")) return attempt();
    throw error;
  }
}

async function accept(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  request: AcceptSubjectOperationRequest,
): Promise<Accepted> {
  const { t } = store;
  const subject = subjectOfRequest(request);
  const declaration = declarationOf(deps, request, subject.kind);
  const token = tokenUse(request);
  const replay = (await replayOf(store, tx, token))?.[0];
  if (replay !== undefined)
    return { operation: toStored(await readOperation(store, tx, replay)), replayed: true };
  if (subject.kind === "host") await requireHost(store, tx, declaration, subject.id);
  const fence = await nextFence(store, tx, subject.id);
  const { contention } = formOf(declaration, request.input);
  const { lane } = declaration;
  const wanted = { subjectId: subject.id, lane, contention };
  const place = await placeBeside(store, tx, wanted, fence, busySubject(subject.kind));
  const now = deps.clock.now();
  const operation = newOperation(
    deps,
    ctx,
    { ...place, id: deps.ids.uuid(), subject, projectId: "", declaration, request },
    now,
  );
  const ended = place.victim === undefined ? [] : [preempted(place.victim, nameOf(operation), now)];
  // The lane has room for one: its index sees the parts of a statement in any order.
  if (ended.length > 0) await allTogether(endingParts(store, ended, now)).execute(tx);
  const parts: Part[] = [{ name: "op", body: insertInto(t.operation, [{ ...operation }]) }];
  if (token.token !== "")
    parts.push({
      name: "tok",
      body: insertInto(t.client_token, [tokenRow(token, [nameOf(operation)], now)]),
    });
  const events = [operationChanged(operation, "created"), ...ended.map((one) => operationChanged(one))];
  await allTogether([...parts, outboxPart(t, deps.ids, events, now)]).execute(tx);
  return { operation: toStored(operation), replayed: false };
}

/** The refusal for a lane of a host or of the cloud. */
export const busySubject =
  (subject: SubjectKind) =>
  (rival: OperationRow | undefined): Error =>
    CellsErrors.SUBJECT_BUSY({ subject, operation: rival === undefined ? "" : nameOf(rival) });

/** Mints a fence of the subject, and locks its holder until the transaction ends; the first one makes it. */
async function nextFence({ t }: Store, tx: Tx, id: string): Promise<number> {
  const { rows } = await sql<{ operation_fence: number }>`
    INSERT INTO ${t.operation_subject} AS s (id, operation_fence) VALUES (${id}, 1)
    ON CONFLICT (id) DO UPDATE SET operation_fence = s.operation_fence + 1 RETURNING operation_fence`.execute(
    tx,
  );
  return rows[0]?.operation_fence ?? 0;
}
