import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { Holding } from "../../../model/operation-declaration.js";
import { CellsErrors } from "../../errors.js";
import { requireFit, requireGeneration } from "../../operations/domain/acceptance.js";
import {
  acceptedChange,
  acceptedOperation,
  acceptedServer,
} from "../../operations/domain/accepted-change.js";
import type { Acceptance } from "../../operations/domain/accepted-change.js";
import { callOf, makesMigration, withEndedMigration } from "../../operations/domain/asked-operation.js";
import { deferredOr } from "../../operations/domain/deferral.js";
import { allPreempted } from "../../operations/domain/ended-early.js";
import {
  AT_ONCE,
  LIFE,
  inTheLaneOf,
  isAnswer,
  mindsHalted,
  placeAmong,
  placeBehind,
  placeInLife,
  placeOverAll,
  reopensLanes,
  requireCell,
  requireNoneHalted,
  requireOpenLanes,
  waitsForOpenLanes,
} from "../../operations/domain/lanes.js";
import type { LanePlace } from "../../operations/domain/lanes.js";
import { doneAtOnce } from "../../operations/domain/new-operation.js";
import { nameOf } from "../../operations/domain/operation-rows.js";
import { instantEvent } from "../../operations/domain/timeline-rows.js";
import { tokenUse } from "../../operations/domain/token-use.js";
import { isLiveWord } from "../../operations/store/owned-operation.js";
import { sealedSecrets } from "../../operations/store/secrets.js";
import type { ChangedServer } from "../../servers/domain/plan-change.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import { visible } from "../../servers/store/read-instances.js";
import { userDataColumn } from "../../servers/store/server-rows.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { OperationRow } from "../../store/rows.js";
import type { InstanceEntry, TwinDatabase } from "./database.js";
import { end, passTurns, requireCapability } from "./lanes.js";
import { settleClaim, takeClaim } from "./quota.js";
import { numbersFor, rowsFor, storeRows } from "./server-rows.js";
import type { TwinState } from "./state.js";
import { remember, replayed } from "./tokens.js";

/** A row and whether an earlier call had made it. */
export interface Accepted {
  readonly operation: OperationRow;
  readonly replayed: boolean;
}

type TwinAcceptance = Acceptance & { readonly instance: InstanceEntry };

/** Accepts an operation as its kind declares. @throws as the method of the contract */
export function acceptOperation(twin: TwinState, ctx: Ctx, asked: AcceptOperationRequest): Accepted {
  const { deps } = twin;
  const database = twin.database(asked.database);
  const instance = visible(database.instances.get(asked.serverId), { ...asked, withDeleted: true });
  const record = loadRecord(instance);
  const server = serverOf(record);
  const { request, declaration } = deferredOr(deps, asked, server);
  const form = formOf(declaration, request.input);
  const token = tokenUse(request);
  const [made] = replayed(database, token) ?? [];
  if (made !== undefined) return { operation: database.operation(made), replayed: true };
  if (instance.deleted) throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  const owner =
    instance.current_operation === "" ? undefined : database.operation(instance.current_operation);
  const running = owner !== undefined && isLiveWord(owner.state) ? owner : undefined;
  if (isAnswer(form, request.kind, running)) return { operation: running, replayed: true };
  requireGeneration(server, request);
  requireFit(record, declaration, form, request.bypassLock);
  if (mindsHalted(declaration, form))
    requireNoneHalted(deps.operations, request.serverId, declaration, database.haltedOn(request.serverId));
  requireCapability(database, declaration, server);
  const call = callOf(server, declaration, request);
  const change = acceptedChange(declaration, form, call, request.change);
  const id = deps.ids.uuid();
  const known = rowsFor(database, deps, record, id, change);
  const numbers = numbersFor(database, request.change, makesMigration(deps.operations, request) ? 1 : 0);
  const acceptance: TwinAcceptance = {
    request,
    declaration,
    form,
    record,
    owner: instance.current_operation,
    instance,
    id,
    change,
    known,
    numbers,
  };
  const isInstant = declaration.instant !== undefined;
  if (isInstant) requireCell(database.name, request.serverId);
  const place =
    isInstant && form.contention !== "pre-empts-all" ? AT_ONCE : placeOf(twin, database, acceptance, running);
  const asking = withEndedMigration(declaration, call, known.migrations);
  const operation = withQuota(twin, database, acceptance, declaration.quota?.(asking), () =>
    (isInstant ? doInstantly : begin)(twin, database, ctx, acceptance, place),
  );
  if (isInstant) settleClaim(twin, operation.id, true);
  remember(database, token, [nameOf(operation)]);
  return { operation, replayed: false };
}

function placeOf(
  { deps }: TwinState,
  database: TwinDatabase,
  { request: { serverId }, declaration: { lane }, form, instance }: TwinAcceptance,
  running: OperationRow | undefined,
): LanePlace {
  const { contention } = form;
  const beside = database.liveBeside(serverId);
  if (lane === LIFE && contention !== "pre-empts-all") return placeInLife(serverId, running, form, []);
  if (lane === LIFE) return placeOverAll(serverId, running, form, beside, database.remainsOn(serverId));
  const [fence, busy] = [instance.operation_fence + 1, inTheLaneOf(serverId)];
  if (waitsForOpenLanes(deps.operations, form, running)) {
    requireCell(database.name, serverId);
    return placeBehind(beside, lane, fence, busy);
  }
  requireOpenLanes(deps.operations, database.name, serverId, running);
  return placeAmong(beside, { lane, contention }, fence, busy);
}

/** Takes the quota that an operation has to have, and gives it back when it is refused. */
function withQuota(
  twin: TwinState,
  database: TwinDatabase,
  { id: operationId, record }: TwinAcceptance,
  target: Holding | undefined,
  write: () => OperationRow,
): OperationRow {
  if (target === undefined) return write();
  const { id: serverId, projectId, userId } = serverOf(record);
  takeClaim(twin, { operationId, serverId, projectId, userId, target, database: database.name });
  try {
    return write();
  } catch (error) {
    settleClaim(twin, operationId, false);
    throw error;
  }
}

function begin(
  twin: TwinState,
  database: TwinDatabase,
  ctx: Ctx,
  acceptance: TwinAcceptance,
  place: LanePlace,
): OperationRow {
  const { deps } = twin;
  const { request, instance, record } = acceptance;
  const now = deps.clock.now();
  const operation = rowOf(twin, ctx, acceptance, place, now);
  const ended = allPreempted(place, nameOf(operation), now, serverOf(record));
  const changed = acceptedServer(acceptance, now, () => deps.ids.uuid());
  database.operations.set(operation.id, operation);
  end(twin, database, ended, instance.current_operation, now);
  const told = changed === undefined ? [] : [storeChanged(twin, database, acceptance, changed)];
  database.mint(operation, 1);
  database.timeline.begin(operation, request.actor, now, []);
  database.tell([
    ...told,
    operationChanged(operation, "created"),
    ...ended.map((one) => operationChanged(one)),
  ]);
  if (reopensLanes(deps.operations, acceptance.declaration, request.input, place))
    passTurns(twin, database, operation, changed?.record ?? record, now);
  return operation;
}

function rowOf(
  { deps }: TwinState,
  { requestId }: Ctx,
  acceptance: TwinAcceptance,
  place: LanePlace,
  now: Instant,
): OperationRow {
  const secrets = sealedSecrets(deps, acceptance.request.secrets, acceptance.id);
  return acceptedOperation(acceptance, place, { requestId, secrets }, now);
}

/** Stores the server of an accepted operation and its rows. @returns what is told of it */
function storeChanged(
  { deps }: TwinState,
  database: TwinDatabase,
  { request, change, instance }: TwinAcceptance,
  { record, rows }: ChangedServer,
): OutboxRow {
  storeRows(database, deps, rows);
  database.store(record, instance, userDataColumn(deps, request.serverId, change));
  return instanceChanged(record, instanceColumns(record), "changed");
}

/** An instant operation is done with its acceptance; what changes nothing is not shown. */
function doInstantly(
  twin: TwinState,
  database: TwinDatabase,
  ctx: Ctx,
  acceptance: TwinAcceptance,
  place: LanePlace,
): OperationRow {
  const { deps } = twin;
  const { request, declaration, record, instance } = acceptance;
  const now = deps.clock.now();
  const accepted = rowOf(twin, ctx, acceptance, place, now);
  const ended = allPreempted(place, nameOf(accepted), now, serverOf(record));
  end(twin, database, ended, instance.current_operation, now);
  const changed = acceptedServer(acceptance, now, () => deps.ids.uuid());
  const operation = doneAtOnce(accepted, declaration, serverOf(changed?.record ?? record));
  database.operations.set(operation.id, operation);
  const events = [operationChanged(operation, "created"), ...ended.map((one) => operationChanged(one))];
  if (changed !== undefined) {
    database.timeline.begin(operation, request.actor, now, [instantEvent(declaration.event ?? "", now)]);
    events.push(storeChanged(twin, database, acceptance, changed));
  }
  if (ended.length > 0) database.mint(operation, 1);
  database.tell(events);
  return operation;
}
