import { sql } from "../../store/sql.js";
import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { KilonovaError } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { hasGuestAgent } from "../../../model/image-properties.js";
import { formOf, metadataOf, resultOf, subjectOf } from "../../../model/operation-declaration.js";
import type {
  Acceptable,
  Contention,
  Form,
  Holding,
  OperationDeclaration,
} from "../../../model/operation-declaration.js";
import { GLOBAL } from "../../../model/database-names.js";
import { operationName } from "../../../model/operation-name.js";
import type { Subject, SubjectKind } from "../../../model/operation-name.js";
import { violates } from "../../../platform/db/index.js";
import { checkAcceptable } from "../domain/acceptance.js";
import { acceptedChange } from "../domain/accepted-change.js";
import { planChange } from "../../servers/domain/plan-change.js";
import type { ChangedServer, KnownRows } from "../../servers/domain/plan-change.js";
import { numbersFor, rowParts, rowsFor, userDataColumn } from "../../servers/store/server-rows.js";
import { sameHolding } from "../../quota/domain/claims.js";
import type { QuotaClaim, QuotaDesk, QuotaWish } from "../../quota/domain/claims.js";
import { isVoid } from "../../quota/store/claims.js";
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
import {
  nameOf,
  otherOperationFields,
  toStored,
  victimBytes,
  withOtherOperationFields,
} from "./operation-rows.js";
import { endMigrations } from "./end-migrations.js";
import { endingParts, haltedOn, liveBeside, placeBeside, preempted } from "./lanes.js";
import type { LanePlace } from "./lanes.js";
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

/** An attempt that wrote nothing, because it wants quota first. */
interface Wanting {
  readonly wants: QuotaWish;
}

/**
 * Accepts an operation on an instance as its kind declares: token, state, lock, capability of the host,
 * mutual exclusion in its lane, changes of the server and its rows, migration record and action in one
 * transaction. One that pre-empts takes its lane, or all of them, over: the victims end at once and their
 * steps become the clean-up's input. One that waits for its turn is not ready until then. An instant one is
 * done with it.
 *
 * Quota lies in another database. It is taken under the operation's id once nothing else is in the way, and
 * the acceptance is attempted again. Who dies in between leaves a claim without an operation, which
 * `settleClaims` finds.
 *
 * @throws UNKNOWN_KIND, SERVER_NOT_FOUND, SERVER_MOVED, INVALID_STATE, INSTANCE_LOCKED, NOT_READY,
 *   CAPABILITY_MISSING, OPERATION_IN_PROGRESS, TOKEN_REUSED, QUOTA_EXCEEDED; INVALID_ARGUMENT for a change
 *   that it may not make; what `planChange` throws
 */
export async function acceptOperation(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptOperationRequest,
  desk: QuotaDesk,
): Promise<Accepted> {
  const numbers = await numbersFor(store, ctx, request.change, makesMigration(deps, request) ? 1 : 0);
  let claim: QuotaClaim | undefined;
  for (;;) {
    const outcome = await attempt(store, deps, ctx, request, { desk, claim, numbers });
    if (!("wants" in outcome)) return outcome;
    claim = { ...outcome.wants, operationId: deps.ids.uuid(), database: store.name };
    await desk.take(ctx, claim);
  }
}

export const makesMigration = ({ operations }: StoreDeps, { kind }: AcceptOperationRequest): boolean =>
  operations.find(kind)?.migration !== undefined;

/** What an attempt has at hand. */
interface AtHand {
  readonly desk: QuotaDesk;
  /** Quota taken for it. */
  readonly claim: QuotaClaim | undefined;
  /** Numbers for migrations. */
  readonly numbers: readonly bigint[];
}

/** One attempt. Unless it is stored, or may be, its claim is given back. */
async function attempt(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: AcceptOperationRequest,
  { desk, claim, numbers }: AtHand,
): Promise<Accepted | Wanting> {
  const once = (): Promise<Accepted | Wanting> =>
    store.db.write(ctx, "operations.accept", (tx) =>
      accept(store, deps, ctx, tx, request, { claim, numbers }),
    );
  const giveBack = async (): Promise<void> => {
    if (claim !== undefined) await desk.giveBack(ctx, claim.operationId);
  };
  try {
    const outcome = await once().catch((error: unknown) => {
      // The same token came twice at once: now the other one is stored, and answers.
      if (violates(error, "client_token_once")) return once();
      throw error;
    });
    if ("wants" in outcome || outcome.replayed) await giveBack();
    return outcome;
  } catch (error) {
    // A refusal has written nothing. Whether anything else has, is found out by `settleClaims`.
    if (isRefusal(error)) await giveBack();
    throw error;
  }
}

/** The domain of this service's refusals. */
const CELLS = CellsErrors.NOT_READY({ server: "" }).domain;

/** A change that may not be made is refused in everybody's words. */
const isRefusal = (error: unknown): boolean =>
  error instanceof KilonovaError && (error.domain === CELLS || error.kind === "invalid");

async function accept(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  request: AcceptOperationRequest,
  { claim, numbers }: Omit<AtHand, "desk">,
): Promise<Accepted | Wanting> {
  const declaration = declarationOf(deps, request, "server");
  const form = formOf(declaration, request.input);
  const instance = await lockInstance(store, tx, request);
  const token = tokenUse(request);
  const replay = (await replayOf(store, tx, token))?.[0];
  if (replay !== undefined)
    return { operation: toStored(await readOperation(store, tx, replay)), replayed: true };
  // A repeated call is answered also when what it did was to delete the server.
  if (instance.deleted) throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  const record = loadRecord(instance);
  const server = serverOf(record);
  const running = await runningOn(store, tx, instance);
  if (form.contention === "pre-empts-all" && running?.kind === request.kind)
    return { operation: toStored(running), replayed: true };
  requireFit(record, declaration, form, request);
  await requireCapability(store, tx, declaration, server);
  const call = callOf(server, declaration, request);
  const change = acceptedChange(declaration, form, call, request.change);
  const id = claim?.operationId ?? deps.ids.uuid();
  const known = await rowsFor(store, deps, tx, record, id, change);
  const acceptance = { request, declaration, form, record, instance, token, id, change, known, numbers };
  if (declaration.instant !== undefined)
    return { operation: toStored(await storeInstant(store, deps, ctx, tx, acceptance)), replayed: false };
  const place = await placeOf(store, deps, tx, acceptance, running);
  const target = declaration.quota?.(call);
  if (target !== undefined && !(await isTaken(store, tx, target, claim))) {
    const { projectId, userId } = server;
    return { wants: { serverId: request.serverId, projectId, userId, target } };
  }
  const operation = await storeAccepted(store, deps, ctx, tx, { ...acceptance, ...place });
  return { operation: toStored(operation), replayed: false };
}

/** What a declaration decides by. */
export const callOf = (
  server: Server,
  { input }: OperationDeclaration,
  request: Pick<AcceptOperationRequest, "input" | "actor">,
): Acceptable<unknown> => ({
  server,
  input: input.decode(request.input),
  actor: request.actor ?? Actor.fromPartial({}),
});

/** @throws INSTANCE_LOCKED, NOT_READY, INVALID_STATE, GUEST_AGENT_MISSING when the server does not fit */
export function requireFit(
  record: InstanceRecord,
  { action }: OperationDeclaration,
  form: Form,
  { bypassLock }: Pick<AcceptOperationRequest, "bypassLock">,
): void {
  const server = serverOf(record);
  checkAcceptable(server, { form, action, bypassLock });
  if (form.needsGuestAgent === true && !hasGuestAgent(record.spec?.image?.properties ?? new Map()))
    throw CellsErrors.GUEST_AGENT_MISSING({ server: server.id });
}

/**
 * Whether quota was taken for what the server is to hold, and nobody has found the claim abandoned meanwhile.
 */
async function isTaken(
  store: Store,
  tx: Tx,
  target: Holding,
  claim: QuotaClaim | undefined,
): Promise<boolean> {
  if (claim === undefined || !sameHolding(claim.target, target)) return false;
  return !(await isVoid(store, tx, claim.operationId));
}

/** @throws UNKNOWN_KIND, also for a kind about another subject */
export function declarationOf(
  { operations }: StoreDeps,
  { kind, kindVersion }: Pick<AcceptOperationRequest, "kind" | "kindVersion">,
  subject: SubjectKind,
): OperationDeclaration {
  const declaration = operations.find(kind);
  if (declaration?.versions.includes(kindVersion) !== true || subjectOf(declaration) !== subject)
    throw CellsErrors.UNKNOWN_KIND({ kind, version: kindVersion });
  return declaration;
}

/** The operation that owns the instance now. */
async function runningOn(store: Store, tx: Tx, instance: LockedInstance): Promise<OperationRow | undefined> {
  if (instance.current_operation === "") return undefined;
  const owner = await readOperation(store, tx, instance.current_operation);
  return isLiveWord(owner.state) ? owner : undefined;
}

/**
 * Finds an operation's place in its lane.
 * @param running  what runs in the lane "life"
 * @throws OPERATION_IN_PROGRESS; NOT_READY in a lane beside "life" while the server has no cell: what waits
 *   there would have to move with it
 * @cost one statement for those in other lanes, two for those that take over all lanes, else none
 */
async function placeOf(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  { request: { serverId }, declaration: { lane }, form: { contention }, instance }: Acceptance,
  running: OperationRow | undefined,
): Promise<LanePlace> {
  if (lane === LIFE) {
    if (contention !== "pre-empts-all") return placeInLife(serverId, running, contention, []);
    const place = placeInLife(serverId, running, contention, await liveBeside(store, tx, serverId));
    return { ...place, halted: await haltedOn(store, tx, serverId) };
  }
  requireOpenLanes(deps, store.name, serverId, running);
  const wanted = { subjectId: serverId, lane, contention };
  return placeBeside(store, tx, wanted, instance.operation_fence + 1, inTheLaneOf(serverId));
}

const inProgress = (server: string, operation: OperationRow): Error =>
  CellsErrors.OPERATION_IN_PROGRESS({ server, operation: nameOf(operation) });

/**
 * The place in the lane "life".
 * @param running  what runs there
 * @param others   those beside it that end when it takes over all lanes
 * @throws OPERATION_IN_PROGRESS
 */
export function placeInLife(
  serverId: string,
  running: OperationRow | undefined,
  contention: Contention,
  others: readonly OperationRow[],
): LanePlace {
  const place = placeIn({ busy: running !== undefined, waiting: 0 }, contention);
  if (place === "refused" && running !== undefined) throw inProgress(serverId, running);
  return { victim: running, others, turn: 0 };
}

/**
 * Whether something may begin beside the lane "life".
 * @param running  what runs there
 * @throws NOT_READY while the server has no cell, OPERATION_IN_PROGRESS
 */
export function requireOpenLanes(
  { operations }: Pick<StoreDeps, "operations">,
  database: string,
  serverId: string,
  running: OperationRow | undefined,
): void {
  if (database === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  if (running !== undefined && closesLanes(operations.find(running.kind), running.input))
    throw inProgress(serverId, running);
}

/** The refusal for a lane of a server. */
export const inTheLaneOf =
  (serverId: string) =>
  (rival: OperationRow | undefined): Error =>
    rival === undefined ? CellsErrors.NOT_READY({ server: serverId }) : inProgress(serverId, rival);

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
export const tokenUse = (
  request: Pick<AcceptOperationRequest, "actor" | "method" | "clientToken" | "bodyHash">,
): TokenUse => ({
  projectId: request.actor?.projectId ?? "",
  userId: request.actor?.userId ?? "",
  method: request.method,
  token: request.clientToken,
  bodyHash: request.bodyHash,
});

export async function readOperation(store: Store, tx: Tx, name: string): Promise<OperationRow> {
  const { rows } =
    await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o WHERE o.id = ${operationIdOf(name)}`.execute(
      tx,
    );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation: name });
  return row;
}

/** An operation that is fit to be accepted. */
export interface Acceptance {
  readonly request: AcceptOperationRequest;
  readonly declaration: OperationDeclaration;
  readonly form: Form;
  readonly record: InstanceRecord;
  readonly instance: LockedInstance;
  readonly token: TokenUse;
  /** The operation's uuid. */
  readonly id: string;
  /** What changes with it. */
  readonly change: InstanceChange | undefined;
  /** Rows by which the change is decided. */
  readonly known: KnownRows;
  /** Numbers for migrations. */
  readonly numbers: readonly bigint[];
}

interface AcceptedChange {
  /** After it. */
  readonly record: InstanceRecord;
  readonly parts: readonly Part[];
  readonly columns: InstanceColumns;
  readonly event: OutboxRow;
}

/** A server after an acceptance. @param owner  whose it is then */
export const acceptedServer = (
  deps: Pick<StoreDeps, "ids">,
  { request, record, change, known, id, numbers }: Acceptance,
  owner: string,
  now: Instant,
): ChangedServer =>
  planChange(record, change, known, {
    owner,
    operation: operationName(request.serverId, id),
    operationId: id,
    userId: request.actor?.userId ?? "",
    now,
    newId: () => deps.ids.uuid(),
    numbers,
  });

/** What an acceptance changes on its server. @param owner  whose the server is after it */
function changeOf(
  store: Store,
  deps: StoreDeps,
  acceptance: Acceptance,
  owner: string,
  now: Instant,
): AcceptedChange {
  const { request, change } = acceptance;
  const { record: after, rows } = acceptedServer(deps, acceptance, owner, now);
  const columns = instanceColumns(after);
  return {
    record: after,
    parts: rowParts(store, deps, rows),
    columns: { ...columns, ...userDataColumn(deps, request.serverId, change) },
    event: instanceChanged(after, columns, "changed"),
  };
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
  const { request, declaration, record, instance, token, change } = acceptance;
  const now = deps.clock.now();
  const accepted = newOperation(
    deps,
    ctx,
    { ...acceptance, ...ofServer(acceptance), victim: undefined, others: [], turn: 0 },
    now,
  );
  const changed =
    change === undefined ? undefined : changeOf(store, deps, acceptance, instance.current_operation, now);
  const operation = doneAtOnce(accepted, declaration, serverOf(changed?.record ?? record));
  const parts: Part[] = [{ name: "op", body: insertInto(t.operation, [{ ...operation }]) }];
  const events = [operationChanged(operation, "created")];
  if (token.token !== "")
    parts.push({
      name: "tok",
      body: insertInto(t.client_token, [tokenRow(token, [nameOf(operation)], now)]),
    });
  if (changed !== undefined) {
    events.push(changed.event);
    const { id: actionId, server_id: serverId } = operation;
    parts.push(
      ...changed.parts,
      {
        name: "inst",
        body: sql`UPDATE ${t.instance} SET ${assignments(changed.columns)} WHERE id = ${serverId}`,
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

/** The row of an instant operation. @param after  its server as it leaves it */
export const doneAtOnce = (
  accepted: OperationRow,
  declaration: OperationDeclaration,
  after: Server,
): OperationRow => ({
  ...accepted,
  state: "succeeded",
  ready_at: null,
  secrets: null,
  other_fields: withOtherOperationFields(accepted.other_fields, {
    result: resultOf(declaration, after, []),
  }),
});

/** Writes an accepted operation and everything that goes with it. */
async function storeAccepted(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  tx: Tx,
  acceptance: Acceptance & LanePlace,
): Promise<OperationRow> {
  const { t } = store;
  const { request, instance, victim, others, halted = [], token, change } = acceptance;
  const now = deps.clock.now();
  const operation = newOperation(deps, ctx, { ...acceptance, ...ofServer(acceptance) }, now);
  const ended = [...(victim === undefined ? [] : [victim]), ...others, ...halted].map((one) =>
    preempted(one, nameOf(operation), now, serverOf(acceptance.record)),
  );
  await endMigrations(store, deps, tx, ended, instance.current_operation, now);
  const owner = operation.lane === LIFE ? nameOf(operation) : instance.current_operation;
  const changed = change === undefined ? undefined : changeOf(store, deps, acceptance, owner, now);
  const parts: Part[] = [
    { name: "op", body: insertInto(t.operation, [{ ...operation }]) },
    {
      name: "inst",
      body: sql`UPDATE ${t.instance} SET ${assignments({ ...changed?.columns, operation_fence: instance.operation_fence + 1 })} WHERE id = ${request.serverId}`,
    },
    { name: "act", body: insertInto(t.instance_action, [actionRow(operation, request, now)]) },
    ...(changed?.parts ?? []),
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
    ...(changed === undefined ? [] : [changed.event]),
    operationChanged(operation, "created"),
    ...ended.map((one) => operationChanged(one)),
  ];
  await allTogether([...parts, outboxPart(t, deps.ids, events, now)]).execute(tx);
  return operation;
}

/** What the row of a new operation is made of. */
export interface NewOperation extends LanePlace {
  /** The operation's uuid. */
  readonly id: string;
  readonly subject: Subject;
  /** Owner of the server; "" for other subjects. */
  readonly projectId: string;
  readonly declaration: OperationDeclaration;
  readonly request: Pick<
    AcceptOperationRequest,
    "kind" | "kindVersion" | "actor" | "traceparent" | "input" | "secrets"
  >;
}

export const ofServer = ({ request, instance }: Acceptance): Pick<NewOperation, "subject" | "projectId"> => ({
  subject: { kind: "server", id: request.serverId },
  projectId: instance.project_id,
});

/** A row that has not been stored yet. */
export function newOperation(
  deps: StoreDeps,
  ctx: Ctx,
  { id, subject, projectId, request, declaration, victim, others, turn }: NewOperation,
  now: Instant,
): OperationRow {
  return {
    id,
    subject: subject.kind,
    server_id: subject.id,
    project_id: projectId,
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
    preempts: victim === undefined ? "" : nameOf(victim),
    preempted: victimBytes(
      victim,
      others.filter(({ fence }) => fence > 0),
    ),
    handed_over_to: "",
    other_fields: otherOperationFields({
      metadata: metadataOf(declaration, request.input),
      result: undefined,
      successor: "",
    }),
    lane: declaration.lane,
    turn,
    progress: null,
    created_at: now,
    updated_at: now,
  };
}

/** The only event of an instant operation. */
export const instantEvent = (actionId: string, event: string, now: Instant) => ({
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
