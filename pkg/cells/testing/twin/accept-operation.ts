import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { InstanceChange } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import { snakeCase } from "../../../kernel/case.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { GLOBAL } from "../../../model/database-names.js";
import { hasGuestAgent } from "../../../model/image-properties.js";
import { formOf } from "../../../model/operation-declaration.js";
import { operationName } from "../../../model/operation-name.js";
import { CellsErrors } from "../../errors.js";
import { checkAcceptable } from "../../operations/domain/acceptance.js";
import { LIFE, closesLanes, placeIn } from "../../operations/domain/lanes.js";
import {
  acceptedOn,
  declarationOf,
  newOperation,
  tokenUse,
} from "../../operations/store/accept-operation.js";
import type { Acceptance, LanePlace } from "../../operations/store/accept-operation.js";
import { preempted } from "../../operations/store/lanes.js";
import { isLiveWord } from "../../operations/store/owned-operation.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { instanceColumns } from "../../servers/domain/instance-columns.js";
import { loadRecord, serverOf } from "../../servers/domain/records.js";
import { instanceChanged, operationChanged } from "../../servers/store/changed-rows.js";
import { visible } from "../../servers/store/read-instances.js";
import type { OperationRow } from "../../store/rows.js";
import type { InstanceEntry, TwinDatabase } from "./database.js";
import { end, requireCapability } from "./lanes.js";
import type { TwinState } from "./state.js";
import { remember, replayed } from "./tokens.js";

/** A row and whether an earlier call had made it. */
interface Accepted {
  readonly operation: OperationRow;
  readonly replayed: boolean;
}

type TwinAcceptance = Acceptance & { readonly instance: InstanceEntry };

/** Accepts an operation as its kind declares. @throws as the method of the contract */
export function acceptOperation(twin: TwinState, ctx: Ctx, request: AcceptOperationRequest): Accepted {
  const { deps } = twin;
  const database = twin.database(request.database);
  const declaration = declarationOf(deps, request);
  const form = formOf(declaration, request.input);
  const instance = visible(database.instances.get(request.serverId), { ...request, withDeleted: true });
  const token = tokenUse(request);
  const [made] = replayed(database, token) ?? [];
  if (made !== undefined) return { operation: database.operation(made), replayed: true };
  if (instance.deleted) throw CellsErrors.SERVER_NOT_FOUND({ server: request.serverId });
  const record = loadRecord(instance);
  const owner =
    instance.current_operation === "" ? undefined : database.operation(instance.current_operation);
  const running = owner !== undefined && isLiveWord(owner.state) ? owner : undefined;
  if (form.contention === "pre-empts-all" && running?.kind === request.kind)
    return { operation: running, replayed: true };
  checkAcceptable(serverOf(record), { form, action: declaration.action, bypassLock: request.bypassLock });
  if (form.needsGuestAgent === true && !hasGuestAgent(record.spec?.image?.properties ?? new Map()))
    throw CellsErrors.GUEST_AGENT_MISSING({ server: request.serverId });
  requireCapability(database, declaration, serverOf(record));
  const acceptance: TwinAcceptance = { request, declaration, form, record, instance, token };
  const operation =
    declaration.instant === undefined
      ? begin(twin, database, ctx, acceptance, placeOf(twin, database, acceptance, running))
      : doAtOnce(twin, database, ctx, acceptance);
  remember(database, token, [nameOf(operation)]);
  return { operation, replayed: false };
}

const nameOf = ({ server_id, id }: OperationRow): string => operationName(server_id, id);

function placeOf(
  { deps }: TwinState,
  database: TwinDatabase,
  { request: { serverId }, declaration: { lane }, form: { contention }, instance }: TwinAcceptance,
  running: OperationRow | undefined,
): LanePlace {
  const inProgress = (operation: OperationRow): Error =>
    CellsErrors.OPERATION_IN_PROGRESS({ server: serverId, operation: nameOf(operation) });
  if (lane === LIFE) {
    if (placeIn({ busy: running !== undefined, waiting: 0 }, contention) === "refused" && running)
      throw inProgress(running);
    const others = contention === "pre-empts-all" ? database.liveBeside(serverId) : [];
    return { victim: running, others, turn: 0 };
  }
  if (database.name === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
  if (running !== undefined && closesLanes(deps.operations.find(running.kind), running.input))
    throw inProgress(running);
  const live = database.liveBeside(serverId).filter((row) => row.lane === lane);
  const current = live.find(({ turn }) => turn === 0);
  const waiting = live.length - (current === undefined ? 0 : 1);
  const place = placeIn({ busy: current !== undefined, waiting }, contention);
  if (place === "refused")
    throw live[0] === undefined ? CellsErrors.NOT_READY({ server: serverId }) : inProgress(live[0]);
  return {
    victim: place === "takes-over" ? current : undefined,
    others: [],
    turn: place === "waits" ? instance.operation_fence + 1 : 0,
  };
}

function begin(
  { deps }: TwinState,
  database: TwinDatabase,
  ctx: Ctx,
  acceptance: TwinAcceptance,
  place: LanePlace,
): OperationRow {
  const { request, instance, record } = acceptance;
  const now = deps.clock.now();
  const operation = newOperation(deps, ctx, { ...acceptance, ...place }, deps.ids.uuid(), now);
  const ended = [...(place.victim === undefined ? [] : [place.victim]), ...place.others].map((one) =>
    preempted(one, now),
  );
  const changed = operation.lane === LIFE ? acceptedOn(acceptance, operation, now) : undefined;
  database.operations.set(operation.id, operation);
  end(database, ended, now);
  database.store(changed ?? record, instance, { operation_fence: instance.operation_fence + 1 });
  database.timeline.begin(operation, request.actor, now, []);
  database.tell([
    ...(changed === undefined ? [] : [instanceChanged(changed, instanceColumns(changed), "changed")]),
    operationChanged(operation, "created"),
    ...ended.map((one) => operationChanged(one)),
  ]);
  return operation;
}

/** An instant operation is done with its acceptance; what changes nothing is not shown. */
function doAtOnce(
  { deps }: TwinState,
  database: TwinDatabase,
  ctx: Ctx,
  acceptance: TwinAcceptance,
): OperationRow {
  const { request, declaration, record, instance } = acceptance;
  const now = deps.clock.now();
  const place = { victim: undefined, others: [], turn: 0 };
  const operation: OperationRow = {
    ...newOperation(deps, ctx, { ...acceptance, ...place }, deps.ids.uuid(), now),
    state: "succeeded",
    ready_at: null,
    secrets: null,
  };
  const set = declaration.instant?.({
    server: serverOf(record),
    input: declaration.input.decode(request.input),
    actor: request.actor ?? Actor.fromPartial({}),
  });
  database.operations.set(operation.id, operation);
  const events = [operationChanged(operation, "created")];
  if (set !== undefined) {
    const change = InstanceChange.fromPartial({ server: set, updateMask: Object.keys(set).map(snakeCase) });
    const changed = applyChange(record, change, instance.current_operation, now);
    database.store(changed, instance);
    database.timeline.begin(operation, request.actor, now, [
      {
        step: "instant",
        round: 0,
        position: 0,
        event: declaration.event ?? "",
        started_at: now,
        finished_at: now,
        result: "Success",
        host: "",
        details: "",
        traceback: "",
      },
    ]);
    events.push(instanceChanged(changed, instanceColumns(changed), "changed"));
  }
  database.tell(events);
  return operation;
}
