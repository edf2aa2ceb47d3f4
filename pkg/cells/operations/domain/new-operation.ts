import type { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { StoredSteps } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { Actor } from "../../../../gen/kilonova/type/v1/actor.js";
import type { Instant } from "../../../kernel/time.js";
import { metadataOf, resultOf } from "../../../model/operation-declaration.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import type { Subject } from "../../../model/operation-name.js";
import { LANES_OPEN } from "../../../model/operation-states.js";
import { encoded } from "../../domain/bytes.js";
import type { LanePlace } from "./lanes.js";
import { nameOf, otherOperationFields, victimBytes, withOtherOperationFields } from "./operation-rows.js";
import type { OperationRow } from "./rows.js";

/** What the row of a new operation is made of. */
export interface NewOperation {
  /** The operation's uuid. */
  readonly id: string;
  readonly subject: Subject;
  /** Owner of the server; "" for other subjects. */
  readonly projectId: string;
  readonly declaration: OperationDeclaration;
  readonly request: Pick<AcceptOperationRequest, "kind" | "kindVersion" | "actor" | "traceparent" | "input">;
  /** Id of the request that asked for it. */
  readonly requestId: string;
  /** Sealed; null for none. */
  readonly secrets: Buffer | null;
  readonly place: LanePlace;
}

/** A row that has not been stored yet. What it takes over from is input of its clean-up. */
export function newOperation(
  { id, subject, projectId, declaration, request, requestId, secrets, place }: NewOperation,
  now: Instant,
): OperationRow {
  const { victim, others, halted = [], earlier = [], turn, behind } = place;
  return {
    id,
    subject: subject.kind,
    server_id: subject.id,
    project_id: projectId,
    kind: request.kind,
    kind_version: request.kindVersion,
    action: declaration.action,
    request_id: requestId,
    actor: encoded(Actor, request.actor ?? Actor.fromPartial({})),
    traceparent: request.traceparent,
    input: request.input,
    secrets,
    state: "running",
    current_step: "",
    undo_until: "",
    steps: encoded(StoredSteps, { steps: [] }),
    generation: 1,
    fence: 0,
    owner: "",
    ready_at: turn === 0 ? now : null,
    deadline: null,
    waiting_for: behind === true ? LANES_OPEN : "",
    cancel_requested: false,
    error: null,
    preempts: victim === undefined ? "" : nameOf(victim),
    // Others that nobody has ever owned have left nothing to clean up.
    preempted: victimBytes(
      victim,
      [...others, ...halted, ...earlier].filter(({ fence }) => fence > 0),
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
