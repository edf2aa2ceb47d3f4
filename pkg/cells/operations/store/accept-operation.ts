import { sql } from "../../store/sql.js";
import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import { snakeCase } from "../../../kernel/case.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { hasGuestAgent } from "../../../model/image-properties.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { Form, OperationDeclaration } from "../../../model/operation-declaration.js";
import { operationName } from "../../../model/operation-name.js";
import { violates } from "../../../platform/db/index.js";
import { checkAcceptable } from "../domain/acceptance.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { encoded } from "../../domain/bytes.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import type { InstanceColumns } from "../../servers/domain/instance-columns.js";
import { LIFE, closesLanes, placeIn } from "../domain/lanes.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { CellsErrors } from "../../errors.js";
import { replayOf, tokenRow } from "./client-tokens.js";
import type { TokenUse } from "./client-tokens.js";
import { requireCapability } from "./capability.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { toStored, victimBytes } from "./operation-rows.js";
import { endingParts, liveBeside, preempted } from "./lanes.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import { isLiveWord, operationColumns, operationIdOf } from "./owned-operation.js";
import type { InstanceRow, OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";

export interface Accepted {
  readonly operation: StoredOperation;
  readonly replayed: boolean;
}

type LockedInstance = InstanceRow & { readonly project_id: string; readonly deleted: boolean };

/**
 * Accepts an operation on an instance as its kind declares: token, state, lock, capability of the host,
 * mutual exclusion in its lane, task state and action in one transaction. One that pre-empts takes its lane,
 * or all of them, over: the victims end at once and their steps become the clean-up's input. One that waits
 * for its turn is not ready until then. An instant one is done with it.
 *
 * @throws UNKNOWN_KIND, SERVER_NOT_FOUND, SERVER_MOVED, INVALID_STATE, INSTANCE_LOCKED, NOT_READY,
 *   CAPABILITY_MISSING, OPERATION_IN_PROGRESS, TOKEN_REUSED
 */
export async function acceptOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptOperationRequest,
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
  request: AcceptOperationRequest,
): Promise<Accepted> {
  const declaration = declarationOf(deps, request);
  const form = formOf(declaration, request.input);
  const instance = await lockInstance(store, tx, request);
  const token = tokenUse(request);
  const replay = (await replayOf(store, tx, token))?.[0];
  if (replay !== undefined)
    return { operation: toStored(await readOperation(store, tx, replay)), replayed: true };
  // A repeated call is answered also when what it did was to delete the server.
  if (instance.deleted) throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  const record = loadRecord(instance);
  const running = await runningOn(store, tx, instance);
  if (form.contention === "pre-empts-all" && running?.kind === request.kind)
    return { operation: toStored(running), replayed: true };
  const { action } = declaration;
  checkAcceptable(serverOf(record), { form, action, bypassLock: request.bypassLock });
  if (form.needsGuestAgent === true && !hasGuestAgent(record.spec?.image?.properties ?? new Map()))
    throw CellsErrors.GUEST_AGENT_MISSING({ server: request.serverId });
  await requireCapability(store, tx, declaration, serverOf(record));
  const acceptance = { request, declaration, form, record, instance, token };
  if (declaration.instant !== undefined)
    return { operation: toStored(await storeInstant(store, deps, ctx, tx, acceptance)), replayed: false };
  const place = await placeOf(store, deps, tx, acceptance, running);
  const operation = await storeAccepted(store, deps, ctx, tx, { ...acceptance, ...place });
  return { operation: toStored(operation), replayed: false };
}

/** @throws UNKNOWN_KIND */
export function declarationOf(
  { operations }: StoreDeps,
  { kind, kindVersion }: AcceptOperationRequest,
): OperationDeclaration {
  const declaration = operations.find(kind);
  if (declaration?.versions.includes(kindVersion) !== true)
    throw CellsErrors.UNKNOWN_KIND({ kind, version: kindVersion });
  return declaration;
}

/** The operation that owns the instance now. */
async function runningOn(store: Store, tx: Tx, instance: LockedInstance): Promise<OperationRow | undefined> {
  if (instance.current_operation === "") return undefined;
  const owner = await readOperation(store, tx, instance.current_operation);
  return isLiveWord(owner.state) ? owner : undefined;
}

/** Where an operation stands among those of its server. */
export interface LanePlace {
  /** The one of its lane that it takes over from. */
  readonly victim: OperationRow | undefined;
  /** Those of other lanes that end with its acceptance. */
  readonly others: readonly OperationRow[];
  /** Place in the queue; 0: it begins at once. */
  readonly turn: number;
}

/**
 * Finds an operation's place in its lane.
 * @param running  what runs in the lane "life"
 * @throws OPERATION_IN_PROGRESS; NOT_READY in a lane beside "life" while the server has no cell: what waits
 *   there would have to move with it
 * @cost one statement for those in other lanes and those that take over all lanes, else none
 */
async function placeOf(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  { request: { serverId }, declaration: { lane }, form: { contention }, instance }: Acceptance,
  running: OperationRow | undefined,
): Promise<LanePlace> {
  const inProgress = (operation: OperationRow): Error =>
    CellsErrors.OPERATION_IN_PROGRESS({ server: serverId, operation: nameOf(operation) });
  if (lane === LIFE) {
    const place = placeIn({ busy: running !== undefined, waiting: 0 }, contention);
    if (place === "refused" && running !== undefined) throw inProgress(running);
    const others = contention === "pre-empts-all" ? await liveBeside(store, tx, serverId) : [];
    return { victim: running, others, turn: 0 };
  }
  if (store.name === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  if (running !== undefined && closesLanes(deps.operations.find(running.kind), running.input))
    throw inProgress(running);
  const live = (await liveBeside(store, tx, serverId)).filter((row) => row.lane === lane);
  const [first] = live;
  const current = live.find(({ turn }) => turn === 0);
  const waiting = live.length - (current === undefined ? 0 : 1);
  switch (placeIn({ busy: current !== undefined, waiting }, contention)) {
    case "begins":
      return { victim: undefined, others: [], turn: 0 };
    case "takes-over":
      return { victim: current, others: [], turn: 0 };
    case "waits":
      return { victim: undefined, others: [], turn: instance.operation_fence + 1 };
    case "refused":
      throw first === undefined ? CellsErrors.NOT_READY({ server: serverId }) : inProgress(first);
  }
}

async function lockInstance(store: Store, tx: Tx, request: AcceptOperationRequest): Promise<LockedInstance> {
  const { rows } =
    await sql<LockedInstance>`SELECT project_id, deleted_at IS NOT NULL AS deleted, generation, current_operation, operation_fence, leaving_to, number, server, details, user_data
    FROM ${store.t.instance} WHERE id = ${request.serverId} FOR UPDATE`.execute(tx);
  const row = rows[0];
  if (row === undefined || (request.projectId !== "" && row.project_id !== request.projectId))
    throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  if (row.leaving_to !== "") throw CellsErrors.SERVER_MOVED({ server: request.serverId });
  return row;
}

/** The caller's token for an operation. */
export const tokenUse = (request: AcceptOperationRequest): TokenUse => ({
  projectId: request.actor?.projectId ?? "",
  userId: request.actor?.userId ?? "",
  method: request.method,
  token: request.clientToken,
  bodyHash: request.bodyHash,
});

async function readOperation(store: Store, tx: Tx, name: string): Promise<OperationRow> {
  const { rows } =
    await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o WHERE o.id = ${operationIdOf(name)}`.execute(
      tx,
    );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return row;
}

const GLOBAL = "global";

/** An operation that is fit to be accepted. */
export interface Acceptance {
  readonly request: AcceptOperationRequest;
  readonly declaration: OperationDeclaration;
  readonly form: Form;
  readonly record: InstanceRecord;
  readonly instance: LockedInstance;
  readonly token: TokenUse;
}

/** Stores an operation that is done with its acceptance. It neither takes the instance nor waits for it. */
async function storeInstant(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  acceptance: Acceptance,
): Promise<OperationRow> {
  const { t } = store;
  const { request, declaration, record, instance, token } = acceptance;
  const now = deps.clock.now();
  const actor = request.actor ?? Actor.fromPartial({});
  const set = declaration.instant?.({
    server: serverOf(record),
    input: declaration.input.decode(request.input),
    actor,
  });
  const operation: OperationRow = {
    ...newOperation(
      deps,
      ctx,
      { ...acceptance, victim: undefined, others: [], turn: 0 },
      deps.ids.uuid(),
      now,
    ),
    state: "succeeded",
    ready_at: null,
    secrets: null,
  };
  const parts: Part[] = [{ name: "op", body: insertInto(t.operation, [{ ...operation }]) }];
  const events = [operationChanged(operation, "created")];
  if (token.token !== "")
    parts.push({
      name: "tok",
      body: insertInto(t.client_token, [tokenRow(token, [nameOf(operation)], now)]),
    });
  if (set !== undefined) {
    const change = InstanceChange.fromPartial({ server: set, updateMask: Object.keys(set).map(snakeCase) });
    const changed = applyChange(record, change, instance.current_operation, now);
    const columns = instanceColumns(changed);
    events.push(instanceChanged(changed, columns, "changed"));
    const { id: actionId, server_id: serverId } = operation;
    parts.push(
      {
        name: "inst",
        body: sql`UPDATE ${t.instance} SET ${assignments(columns)} WHERE id = ${serverId}`,
      },
      { name: "act", body: insertInto(t.instance_action, [actionRow(operation, request, now)]) },
      {
        name: "event",
        body: insertInto(t.instance_action_event, [instantEvent(actionId, declaration.event ?? "", now)]),
      },
    );
  }
  await allTogether([...parts, outboxPart(t, deps.ids, events, now)]).execute(tx);
  return operation;
}

/** Writes an accepted operation and everything that goes with it. */
async function storeAccepted(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  acceptance: Acceptance & LanePlace,
): Promise<OperationRow> {
  const { t } = store;
  const { request, instance, victim, others, token } = acceptance;
  const now = deps.clock.now();
  const operation = newOperation(deps, ctx, acceptance, deps.ids.uuid(), now);
  const ended = [...(victim === undefined ? [] : [victim]), ...others].map((one) => preempted(one, now));
  const columns = operation.lane === LIFE ? lifeChange(acceptance, operation, now) : undefined;
  const parts: Part[] = [
    { name: "op", body: insertInto(t.operation, [{ ...operation }]) },
    {
      name: "inst",
      body: sql`UPDATE ${t.instance} SET ${assignments({ ...columns?.values, operation_fence: instance.operation_fence + 1 })} WHERE id = ${request.serverId}`,
    },
    { name: "act", body: insertInto(t.instance_action, [actionRow(operation, request, now)]) },
  ];
  if (token.token !== "")
    parts.push({
      name: "tok",
      body: insertInto(t.client_token, [tokenRow(token, [nameOf(operation)], now)]),
    });
  const endings = endingParts(store, ended, now);
  if (operation.lane === LIFE) parts.push(...endings);
  // The lane has room for one: its index sees the parts of a statement in any order.
  else if (endings.length > 0) await allTogether(endings).execute(tx);
  const events = [
    ...(columns === undefined ? [] : [columns.event]),
    operationChanged(operation, "created"),
    ...ended.map((one) => operationChanged(one)),
  ];
  await allTogether([...parts, outboxPart(t, deps.ids, events, now)]).execute(tx);
  return operation;
}

/** What the acceptance of an operation in the lane "life" changes on its server. */
function lifeChange(
  acceptance: Acceptance,
  operation: OperationRow,
  now: Instant,
): { readonly values: InstanceColumns; readonly event: OutboxRow } {
  const changed = acceptedOn(acceptance, operation, now);
  const values = instanceColumns(changed);
  return { values, event: instanceChanged(changed, values, "changed") };
}

/** The server's record once an operation in the lane "life" is accepted. */
export const acceptedOn = (
  { record, form }: Pick<Acceptance, "record" | "form">,
  operation: OperationRow,
  now: Instant,
): InstanceRecord =>
  applyChange(
    record,
    InstanceChange.fromPartial({ server: { taskState: form.taskState }, updateMask: ["task_state"] }),
    nameOf(operation),
    now,
  );

/** The row of an operation that is accepted. */
export function newOperation(
  deps: StoreDeps,
  ctx: Ctx,
  { request, declaration, instance, victim, others, turn }: Acceptance & LanePlace,
  id: string,
  now: Instant,
): OperationRow {
  return {
    id,
    server_id: request.serverId,
    project_id: instance.project_id,
    kind: request.kind,
    kind_version: request.kindVersion,
    action: declaration.action,
    request_id: ctx.requestId,
    actor: encoded(Actor, request.actor ?? Actor.fromPartial({})),
    traceparent: request.traceparent,
    input: request.input,
    secrets: request.secrets.length === 0 ? null : deps.box.seal(request.secrets, id),
    state: "running",
    current_step: "",
    undo_until: "",
    steps: encoded(StoredSteps, { steps: [] }),
    generation: 1,
    fence: 0,
    owner: "",
    ready_at: turn === 0 ? now : null,
    deadline: null,
    waiting_for: "",
    cancel_requested: false,
    error: null,
    preempts: victim === undefined ? "" : operationName(victim.server_id, victim.id),
    preempted: victimBytes(
      victim,
      others.filter(({ fence }) => fence > 0),
    ),
    handed_over_to: "",
    other_fields: Buffer.alloc(0),
    lane: declaration.lane,
    turn,
    created_at: now,
    updated_at: now,
  };
}

const nameOf = ({ server_id, id }: OperationRow): string => operationName(server_id, id);

/** The only event of an instant operation. */
const instantEvent = (actionId: string, event: string, now: Instant): Readonly<Record<string, unknown>> => ({
  action_id: actionId,
  step: "instant",
  round: 0,
  position: 0,
  event,
  started_at: now,
  finished_at: now,
  result: "Success",
  host: "",
  details: "",
  traceback: "",
});

/** The action that starts an operation's timeline. */
export const actionRow = (
  operation: OperationRow,
  who: { readonly actor?: Actor | undefined },
  now: Instant,
): Readonly<Record<string, unknown>> => ({
  server_id: operation.server_id,
  id: operation.id,
  request_id: operation.request_id,
  action: operation.action,
  project_id: who.actor?.projectId ?? "",
  user_id: who.actor?.userId ?? "",
  started_at: now,
  updated_at: now,
});
