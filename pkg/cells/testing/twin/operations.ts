import type {
  AcquireOperationsRequest,
  AcquireOperationsResponse,
  ListStoredOperationsRequest,
  ListStoredOperationsResponse,
  OperationStoreServiceDefinition,
} from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { ComputeNode } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { operationStateWord } from "../../../model/operation-states.js";
import { presentOperation } from "../../../model/operation-view.js";
import { MAX_WAITING_SIGNALS, VICTIM_AT_REST } from "../../../model/signals.js";
import { durationMs, fromTimestamp, toTimestamp } from "../../../model/wire-time.js";
import { sqlTime } from "../../../platform/db/index.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { CellsErrors } from "../../errors.js";
import { LIFE } from "../../operations/domain/lanes.js";
import { subjectIn, subjectOfRequest } from "../../operations/domain/subjects.js";
import { requireSignal } from "../../operations/domain/signal-rules.js";
import { openSecrets } from "../../operations/store/secrets.js";
import { nameOf, toStored } from "../../operations/domain/operation-rows.js";
import { isLiveWord, operationIdOf } from "../../operations/store/owned-operation.js";
import { SEARCHED_AT_ONCE, afterOf, searches } from "../../operations/store/read-operations.js";
import type { Place } from "../../operations/store/read-operations.js";
import type { Signal, SignalOutcome } from "../../operations/store/signals.js";
import type { Waker } from "../../ports.js";
import { loadRecord } from "../../servers/domain/records.js";
import { writeToken } from "../../store/page-tokens.js";
import { pageOf } from "../../store/page.js";
import type { OperationRow } from "../../store/rows.js";
import { acceptSubjectOperation } from "./accept-subject-operation.js";
import { commitStep } from "./commit-step.js";
import type { TwinDatabase } from "./database.js";
import { abandon, cancel, retry, strand } from "./operator-actions.js";
import { byValue, bytewise, pageSize } from "./order.js";
import { confirm, leave, settle } from "./ownership.js";
import type { TwinState } from "./state.js";

type Served = Omit<
  Handlers<OperationStoreServiceDefinition>,
  "prepareHandover" | "commitHandover" | "activateHandover" | "dropHandover" | "forgetKept" | "listDormant"
>;

/** Stored operations, without hand-overs: these answer NOT_SERVED, and are tried on PostgreSQL only. */
export const operationHandlers = (twin: TwinState, waker: Waker): Served => ({
  acquireOperations: async (_ctx, request) => acquire(twin, request),
  renewOperations: async (_ctx, { database, owner, names, ownership }) => {
    const { operations } = twin.database(database);
    const until = twin.deps.clock.now() + BigInt(durationMs(ownership)) * 1000n;
    for (const row of owned(twin.database(database), owner))
      if (names.some((name) => operationIdOf(name) === row.id))
        operations.set(row.id, { ...row, ready_at: until });
    return {};
  },
  releaseOperations: async (_ctx, { database, owner }) => {
    const { operations } = twin.database(database);
    for (const row of owned(twin.database(database), owner))
      operations.set(row.id, {
        ...row,
        owner: "",
        ready_at: row.state === "preempted" ? null : twin.deps.clock.now(),
      });
    return {};
  },
  confirmOwnership: async (_ctx, { database, name, fence, ownership }) => {
    confirm(twin.database(database), twin.deps, name, fence, durationMs(ownership));
    return {};
  },
  leaveOperation: async (ctx, { database, name, fence }) => {
    const where = twin.database(database);
    const { heir, takenBack } = leave(where, twin.deps, name, fence);
    if (heir !== "") {
      const kind = VICTIM_AT_REST;
      const told = { operation: heir, id: `at-rest/${name}`, kind, payload: Buffer.alloc(0) };
      if (signal(twin, where, told, ctx.peer.service).woke) waker.wake(ctx, database, heir);
    }
    return { takenBack };
  },
  settleOperation: async (_ctx, { database, name }) => ({
    atRest: settle(twin.database(database), twin.deps, name),
  }),
  commitStep: async (ctx, request) => {
    const { response, next } = commitStep(twin, request);
    for (const one of next) waker.wake(ctx, request.database, one);
    return response;
  },
  getStoredOperation: async ({ peer }, { database, name }) => {
    const operation = toStored(twin.locateOperation(database, name).operation(name));
    if (operation.handedOverTo === "" || peer.service === "conductor") return { operation };
    return { operation: toStored(twin.database(operation.handedOverTo).operation(name)) };
  },
  listStoredOperations: async (_ctx, request) => list(twin, request),
  acceptSubjectOperation: async (ctx, request) => {
    const where = twin.locateSubject(request.database, subjectOfRequest(request));
    const { operation, replayed } = acceptSubjectOperation(twin, where, ctx, request);
    const stored = toStored(operation);
    if (!replayed) waker.wake(ctx, where.name, stored.name);
    return { operation: presentOperation(stored), replayed };
  },
  signalOperation: async (ctx, { database, name, signalId, kind, payload }) => {
    const where = twin.locateOperation(database, name);
    const one = { operation: name, id: signalId, kind, payload };
    const { accepted, woke } = signal(twin, where, one, ctx.peer.service);
    if (woke) waker.wake(ctx, where.name, name);
    return { accepted };
  },
  strandOperations: async (_ctx, request) => ({ names: strand(twin, request) }),
  retryOperation: async (ctx, { database, name }) => {
    const where = twin.locateOperation(database, name);
    const operation = retry(twin, where, name);
    waker.wake(ctx, where.name, name);
    return { operation };
  },
  abandonOperation: async (ctx, { database, name, reason }) => {
    const where = twin.locateOperation(database, name);
    const { operation, next } = abandon(twin, where, name, reason);
    for (const one of next) waker.wake(ctx, where.name, one);
    return { operation };
  },
  requestCancel: async (ctx, { database, name }) => {
    const where = twin.locateOperation(database, name);
    const operation = cancel(twin, where, name);
    waker.wake(ctx, where.name, name);
    return { operation };
  },
});

const owned = ({ operations }: TwinDatabase, owner: string): OperationRow[] =>
  [...operations.values()].filter((row) => row.owner === owner && row.ready_at !== null);

/** Takes ready operations; those of one server get a fence each, in the order of their ids. */
function acquire(twin: TwinState, request: AcquireOperationsRequest): AcquireOperationsResponse {
  const database = twin.database(request.database);
  const now = twin.deps.clock.now();
  const names = request.names.slice(0, request.limit).map(operationIdOf);
  const picked = [...database.operations.values()]
    .filter(
      (row) =>
        row.ready_at !== null &&
        row.ready_at <= now &&
        row.state !== "preempted" &&
        row.turn === 0 &&
        request.kinds.some(({ kind, version }) => kind === row.kind && version === row.kind_version) &&
        (names.length === 0 || names.includes(row.id)),
    )
    .sort((a, b) => byValue(a.ready_at, b.ready_at))
    .slice(0, names.length > 0 ? undefined : request.limit);
  const answer: AcquireOperationsResponse = { operations: [], instances: [], hosts: [] };
  for (const subjectId of new Set(picked.map(({ server_id }) => server_id))) {
    const rows = picked
      .filter(({ server_id }) => server_id === subjectId)
      .sort((a, b) => bytewise(a.id, b.id));
    const [first] = rows;
    const holder = first && database.holder(first);
    const owns = (row: OperationRow): boolean =>
      row.lane !== LIFE || holder?.current_operation === nameOf(row);
    if (first === undefined || holder === undefined || !rows.some(owns)) continue;
    const fence = database.mint(first, rows.length);
    const node = first.subject === "host" ? database.node(subjectId) : undefined;
    if (node !== undefined) answer.hosts.push(ComputeNode.decode(node.body));
    for (const [place, row] of rows.entries()) {
      if (!owns(row)) continue;
      const taken: OperationRow = {
        ...row,
        fence: fence - place,
        owner: request.owner,
        ready_at: now + BigInt(durationMs(request.ownership)) * 1000n,
        waiting_for: "",
        state: row.state === "parked" ? "running" : row.state,
      };
      database.operations.set(row.id, taken);
      const signals = database.pendingSignals(row.id);
      answer.operations.push(toStored(taken, { signals, secrets: openSecrets(twin.deps, taken) }));
      answer.instances.push(row.subject === "server" ? loadRecord(holder) : InstanceRecord.fromPartial({}));
    }
  }
  return answer;
}

/** Newest first. @throws INVALID_ARGUMENT for a token of another list */
function list(twin: TwinState, query: ListStoredOperationsRequest): ListStoredOperationsResponse {
  const subject = subjectIn(query);
  const database =
    subject === undefined ? twin.database(query.database) : twin.locateSubject(query.database, subject);
  const range = [...database.operations.values()]
    .filter(inRange(query, subject?.id))
    .sort((a, b) => bytewise(placeOf(b), placeOf(a)));
  const end = searches(query) ? range[SEARCHED_AT_ONCE - 1] : undefined;
  const states = query.states.map(operationStateWord);
  const rows = range.filter(
    (row) =>
      (states.length === 0 || states.includes(row.state)) &&
      (query.kinds.length === 0 || query.kinds.includes(row.kind)) &&
      (end === undefined || bytewise(placeOf(row), placeOf(end)) >= 0),
  );
  const { page, more } = pageOf(
    rows,
    pageSize(query.pageSize, 100),
    (row) => StoredOperation.encode(toStored(row)).finish().length,
  );
  const searchedTo = more ? page.at(-1) : end;
  return {
    operations: page.map((row) => toStored(row)),
    nextPageToken: searchedTo === undefined ? "" : writeToken(searchedTo.created_at, searchedTo.id),
    searchedTo:
      searchedTo === undefined
        ? undefined
        : { createdAt: toTimestamp(searchedTo.created_at), id: searchedTo.id },
  };
}

const timeText = (at: Place["at"]): string => (typeof at === "string" ? at : sqlTime(at));
/** An operation's place in the list, as a text that sorts like it. */
const placeOf = ({ created_at: at, id }: Pick<OperationRow, "created_at" | "id">): string =>
  timeText(at) + id;

function inRange(query: ListStoredOperationsRequest, subjectId: string | undefined) {
  const { projectId, ofServers, createdSince } = query;
  const after = afterOf(query);
  return (row: OperationRow): boolean =>
    row.state !== "handed-over" &&
    (subjectId === undefined || row.server_id === subjectId) &&
    (!ofServers || row.subject === "server") &&
    (projectId === "" || row.project_id === projectId) &&
    (createdSince === undefined || row.created_at >= fromTimestamp(createdSince)) &&
    (after === undefined || bytewise(placeOf(row), timeText(after.at) + after.id) < 0);
}

/** Stores a signal of an operation that has not ended; the same id again changes nothing. */
export function signal(twin: TwinState, database: TwinDatabase, one: Signal, sender: string): SignalOutcome {
  requireSignal(one, sender);
  const id = operationIdOf(one.operation);
  const row = database.operations.get(id);
  if (row === undefined || !isLiveWord(row.state)) return { accepted: false, woke: false };
  if (database.pendingSignals(id).filter((other) => other.id !== one.id).length >= MAX_WAITING_SIGNALS)
    throw CellsErrors.TOO_MANY_SIGNALS({ operation: one.operation });
  const stored = database.signals.get(id) ?? [];
  if (!stored.some((other) => other.id === one.id))
    database.signals.set(id, [
      ...stored,
      { id: one.id, kind: one.kind, payload: one.payload, consumed: false },
    ]);
  const woke = row.state === "parked" && row.waiting_for === one.kind;
  if (woke) database.operations.set(id, { ...row, ready_at: twin.deps.clock.now() });
  return { accepted: true, woke };
}
