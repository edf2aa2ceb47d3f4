import type { ComputeNode, HostService } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { ComputeNode as Node } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { InstanceAction } from "../../../../gen/kilonova/api/v1/limits_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import { OperationError, OperationProgress } from "../../../../gen/kilonova/type/v1/operation.js";
import type { Instant } from "../../../kernel/time.js";
import { operationStateWord } from "../../../model/operation-states.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import type { NodeRow, ServiceRow } from "../../hosts/domain/host-records.js";
import { otherOperationFields } from "../../operations/store/operation-rows.js";
import { idsOf, operationIdOf } from "../../operations/store/owned-operation.js";
import type { OperationRow } from "../../store/rows.js";
import type { ActionEntry } from "./timeline.js";

/** An operation's row as a message tells it; nobody is kept from taking it. */
export const operationRow = (of: StoredOperation, now: Instant): OperationRow => ({
  id: operationIdOf(of.name),
  subject: idsOf(of.name).subject.kind,
  server_id: idsOf(of.name).subject.id,
  project_id: of.projectId,
  kind: of.kind,
  kind_version: of.kindVersion,
  action: of.action,
  request_id: of.requestId,
  actor: encoded(Actor, of.actor ?? Actor.fromPartial({})),
  traceparent: of.traceparent,
  input: of.input,
  secrets: null,
  state: of.handedOverTo === "" ? operationStateWord(of.state) : "handed-over",
  current_step: of.currentStep,
  undo_until: of.undoUntil,
  steps: encoded(StoredSteps, { steps: of.steps }),
  generation: Number(of.generation),
  fence: Number(of.fence),
  owner: of.owner,
  ready_at: fromTimestampOrNull(of.wakeAt),
  deadline: fromTimestampOrNull(of.deadline),
  waiting_for: of.waitingFor,
  cancel_requested: of.cancelRequested,
  error: of.error === undefined ? null : encoded(OperationError, of.error),
  preempts: of.preempts,
  preempted: null,
  handed_over_to: of.handedOverTo,
  other_fields: otherOperationFields(of),
  progress: of.progress === undefined ? null : encoded(OperationProgress, of.progress),
  lane: of.lane === "" ? "life" : of.lane,
  turn: Number(of.turn),
  created_at: fromTimestampOrNull(of.createdAt) ?? now,
  updated_at: fromTimestampOrNull(of.updatedAt) ?? now,
});

export const serviceRow = (of: HostService, now: Instant): ServiceRow => ({
  id: of.id,
  number: Number(of.number),
  binary: of.binary,
  host: of.host,
  availability_zone: of.availabilityZone,
  disabled: of.disabled,
  disabled_reason: of.disabledReason,
  forced_down: of.forcedDown,
  epoch: Number(of.epoch),
  address: of.address,
  generation: 1,
  updated_at: fromTimestampOrNull(of.updatedAt) ?? now,
  last_seen_at: fromTimestampOrNull(of.lastSeenAt) ?? now,
  other_fields: Buffer.alloc(0),
});

export const nodeRow = (of: ComputeNode): NodeRow => ({
  id: of.id,
  number: Number(of.number),
  host: of.host,
  generation: 1,
  body: encoded(Node, of),
});

export const actionEntry = (of: InstanceAction, now: Instant): ActionEntry => ({
  server_id: of.serverId,
  id: of.requestId,
  request_id: of.requestId,
  action: of.action,
  project_id: of.projectId,
  user_id: of.userId,
  started_at: fromTimestampOrNull(of.startedAt) ?? now,
  updated_at: fromTimestampOrNull(of.updatedAt) ?? now,
  failed: of.message !== undefined,
  events: of.events.map((event, position) => ({
    step: `step-${position}`,
    round: 0,
    position,
    event: event.event,
    started_at: fromTimestampOrNull(event.startedAt) ?? now,
    finished_at: fromTimestampOrNull(event.finishedAt),
    result: event.result ?? "",
    host: event.host ?? "",
    details: event.details ?? "",
    traceback: event.traceback ?? "",
  })),
});
