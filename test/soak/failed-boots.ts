import { StoredSteps } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationError } from "../../gen/kilonova/type/v1/operation.js";
import type { StepRecord } from "../../gen/kilonova/cells/v1/operations_service.js";
import { ownersError } from "../../pkg/model/operation-error.js";
import { everywhere } from "./everywhere.js";
import type { SoakCloud } from "./soak-cloud.js";

/** An operation that has failed. */
export interface Failure {
  readonly id: string;
  readonly serverId: string;
  readonly kind: string;
  readonly reason: string;
  readonly message: string;
  /** Steps that failed on the way, with what they said: one for each host that was tried. */
  readonly steps: readonly { readonly name: string; readonly reason: string; readonly message: string }[];
  /** Rules that left no host: their reasons. */
  readonly refusals: readonly string[];
}

interface Row {
  readonly id: string;
  readonly server_id: string;
  readonly kind: string;
  readonly error: Buffer | null;
  readonly steps: Buffer;
}

/** All operations that have failed. */
export async function failures({ deployment }: SoakCloud): Promise<Failure[]> {
  const rows = await deployment.query<Row>(
    everywhere((s) => `SELECT id, server_id, kind, error, steps FROM ${s}.operation WHERE state = 'failed'`),
  );
  return rows.map(({ id, server_id: serverId, kind, error, steps }) => {
    const stored = OperationError.decode(error ?? new Uint8Array());
    return {
      ...{ id, serverId, kind, reason: stored.reason, message: stored.message },
      steps: StoredSteps.decode(steps).steps.filter(hasFailed).map(inShort),
      refusals: refusalsOf(stored),
    };
  });
}

/** Which rules left no host, why, and how many each. */
export const refusalsOf = (stored: OperationError): readonly string[] =>
  (ownersError(stored)?.noValidHost?.refusals ?? []).map(
    ({ rule, reason, hosts }) => `${rule} ${reason} ×${hosts}`,
  );

const hasFailed = ({ errorReason }: StepRecord): boolean => errorReason !== "";
const inShort = ({ name, errorReason: reason, errorMessage: message }: StepRecord) => ({
  ...{ name, reason, message },
});

/** What a scripted driver says, and what comes of agents that are dead. */
const INJECTED = /^SOAKED$/;
const AWAY = /HOST_DOWN/;
/** A busy machine: no fault, and shown in the report. */
const SLOW = /^(STEP_DEADLINE|DEADLINE_EXCEEDED)$/;
/** Somebody else has taken or deleted the volume or snapshot in between. */
const TAKEN = /status must be available|could not be found|is in use|already attached|must be available/i;

/**
 * Whether what the soak itself does explains that a server could not be built: scripted faults, agents that
 * were killed, users who took the volume first, a machine that was too busy.
 */
export function isExplained({ reason, message, steps, refusals }: Failure): boolean {
  const reasons = [reason, ...steps.map((step) => step.reason)];
  if (reasons.some((one) => INJECTED.test(one) || SLOW.test(one))) return true;
  if (reason === "NO_VALID_HOST") return refusals.some((one) => AWAY.test(one));
  return reason === "VOLUME_NOT_MADE" && TAKEN.test(message);
}

/** Failed boots that nothing explains, each as a finding. */
export const unexplainedBoots = (all: readonly Failure[]): string[] =>
  all
    .filter((one) => one.kind === "server.boot" && !isExplained(one))
    .map((one) => `a server could not be built, and nothing explains it: ${JSON.stringify(one)}`);
