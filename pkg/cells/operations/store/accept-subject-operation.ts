import { sql } from "../../store/sql.js";
import type { AcceptSubjectOperationRequest } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { formOf } from "../../../model/operation-declaration.js";
import { violates } from "../../../platform/db/index.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, inserting } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { Store, Tx } from "../../store/tables.js";
import { declarationOf } from "../domain/asked-operation.js";
import { allPreempted } from "../domain/ended-early.js";
import { busySubject } from "../domain/lanes.js";
import { newOperation } from "../domain/new-operation.js";
import { nameOf, toStored } from "../domain/operation-rows.js";
import { subjectOfRequest } from "../domain/subjects.js";
import { tokenUse } from "../domain/token-use.js";
import { readOperation } from "./accept-operation.js";
import type { Accepted } from "./accept-operation.js";
import { requireHost } from "./capability.js";
import { replayOf, tokenParts } from "./client-tokens.js";
import { endingParts, placeBeside } from "./lanes.js";
import { sealedSecrets } from "./secrets.js";

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
  const declaration = declarationOf(deps.operations, request, subject.kind);
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
  // They end before it begins: a statement changes a table once, and the lane has room for one.
  if (ended.length > 0) await allTogether(endingParts(store, ended, now)).execute(tx);
  const events = [operationChanged(operation, "created"), ...ended.map((one) => operationChanged(one))];
  await allTogether([
    inserting("op", t.operation, [{ ...operation }]),
    ...tokenParts(store, token, [nameOf(operation)], now),
    outboxPart(t, deps.ids, events, now),
  ]).execute(tx);
  return { operation: toStored(operation), replayed: false };
}

/** Mints a fence of the subject, and locks its holder until the transaction ends; the first one makes it. */
async function nextFence({ t }: Store, tx: Tx, id: string): Promise<number> {
  const { rows } = await sql<{ operation_fence: number }>`
    INSERT INTO ${t.operation_subject} AS s (id, operation_fence) VALUES (${id}, 1)
    ON CONFLICT (id) DO UPDATE SET operation_fence = s.operation_fence + 1 RETURNING operation_fence`.execute(
    tx,
  );
  return rows[0]?.operation_fence ?? 0;
}
