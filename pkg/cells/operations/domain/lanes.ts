import type { Contention, Lane, OperationDeclaration } from "../../../model/operation-declaration.js";
import { formOf } from "../../../model/operation-declaration.js";

/** The lane whose slot is in the server's own record. */
export const LIFE: Lane = "life";

/** Operations that may wait in one lane of a server; more are refused. */
export const MAX_WAITING_IN_LANE = 100;

/** What a lane of a server is like when an operation is accepted. */
export interface LaneView {
  readonly busy: boolean;
  readonly waiting: number;
}

/**
 * What becomes of an operation that is fit to be accepted: it begins at once, waits for its turn, takes the
 * running one's place, or is refused with OPERATION_IN_PROGRESS. Who takes over goes before those that wait.
 */
export function placeIn(
  { busy, waiting }: LaneView,
  contention: Contention,
): "begins" | "waits" | "takes-over" | "refused" {
  if (contention === "pre-empts" || contention === "pre-empts-all") return busy ? "takes-over" : "begins";
  if (!busy && waiting === 0) return "begins";
  return contention === "waits" && waiting < MAX_WAITING_IN_LANE ? "waits" : "refused";
}

/**
 * Whether nothing may begin beside a running operation: it takes over all lanes, or nobody here knows its
 * kind.
 */
export const closesLanes = (declaration: OperationDeclaration | undefined, input: Uint8Array): boolean =>
  declaration === undefined || formOf(declaration, input).contention === "pre-empts-all";
