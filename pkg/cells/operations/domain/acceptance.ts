import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type {
  AcceptOperationRequest,
  UpdateConditions,
} from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { stateRefusal } from "../../../model/acceptance.js";
import { hasGuestAgent } from "../../../model/image-properties.js";
import type { Form, OperationDeclaration } from "../../../model/operation-declaration.js";
import { CellsErrors } from "../../errors.js";
import { serverOf } from "../../servers/domain/records.js";

/** @throws GENERATION_CONFLICT when somebody has changed the server since the caller read it */
export function requireGeneration(
  { id, generation }: Server,
  { expectedGeneration }: Pick<AcceptOperationRequest, "expectedGeneration">,
): void {
  if (expectedGeneration !== 0n && expectedGeneration !== generation)
    throw CellsErrors.GENERATION_CONFLICT({ server: id });
}

/** Who asks, and for what. */
export interface Asked {
  readonly form: Omit<Form, "taskState" | "contention">;
  /** Nova's word in refusals. */
  readonly action: string;
  /** Whether the actor may pass locks. */
  readonly bypassLock: boolean;
}

/** The conditions of a user's change. */
export const askedOf = (conditions: UpdateConditions): Asked => ({
  form: {
    ...(conditions.allowedVmStates.length === 0 ? {} : { vmStates: conditions.allowedVmStates }),
    ...(conditions.mustHaveLaunched ? { needsLaunch: true } : {}),
    lock: conditions.checkLock ? "refuses" : "ignores",
  },
  action: conditions.verb,
  bypassLock: conditions.bypassLock,
});

/** @throws INSTANCE_LOCKED, NOT_READY, INVALID_STATE; see `stateRefusal` */
export function checkAcceptable(server: Server, { form, action, bypassLock }: Asked): void {
  const refusal = stateRefusal(server, form, bypassLock);
  if (refusal === undefined) return;
  if (refusal.reason === "INVALID_STATE") {
    const { attr, state } = refusal;
    throw CellsErrors.INVALID_STATE({ server: server.id, method: action, attr, state });
  }
  throw CellsErrors[refusal.reason]({ server: server.id });
}

/**
 * As `checkAcceptable`, for an operation as its kind declares it.
 * @throws also GUEST_AGENT_MISSING when the server's image asks for no agent
 */
export function requireFit(
  record: InstanceRecord,
  { action }: Pick<OperationDeclaration, "action">,
  form: Form,
  bypassLock: boolean,
): void {
  const server = serverOf(record);
  checkAcceptable(server, { form, action, bypassLock });
  if (form.needsGuestAgent === true && !hasGuestAgent(record.spec?.image?.properties ?? new Map()))
    throw CellsErrors.GUEST_AGENT_MISSING({ server: server.id });
}
