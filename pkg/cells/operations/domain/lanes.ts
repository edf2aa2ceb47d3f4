import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { GLOBAL } from "../../../model/database-names.js";
import type { Contention, Form, Lane, OperationDeclaration } from "../../../model/operation-declaration.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { SubjectKind } from "../../../model/operation-name.js";
import { LANES_OPEN } from "../../../model/operation-states.js";
import { CellsErrors } from "../../errors.js";
import type { Kinds } from "./asked-operation.js";
import { nameOf } from "./operation-rows.js";
import type { OperationRow } from "./rows.js";

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
 * Whether nothing may begin beside a running operation: it takes over all lanes, wants to be alone, or nobody
 * here knows its kind.
 */
export function closesLanes(declaration: OperationDeclaration | undefined, input: Uint8Array): boolean {
  if (declaration === undefined) return true;
  const { contention, alone } = formOf(declaration, input);
  return contention === "pre-empts-all" || alone === true;
}

/** Whether a running operation wants to be alone, or nobody here knows its kind. */
export const mayBeAlone = (declaration: OperationDeclaration | undefined, input: Uint8Array): boolean =>
  declaration === undefined || formOf(declaration, input).alone === true;

/** Whether the end of an operation of the lane "life" opens the others. @param owner  who owns the server */
export const opensLanes = (kinds: Kinds, row: OperationRow, owner: string): boolean =>
  owner === nameOf(row) && mayBeAlone(kinds.find(row.kind), row.input);

/**
 * Whether an operation that takes over from one that wanted to be alone opens the lanes again.
 * @param input  of the one that takes over
 */
export const reopensLanes = (
  kinds: Kinds,
  declaration: OperationDeclaration,
  input: Uint8Array,
  { victim }: Pick<LanePlace, "victim">,
): boolean =>
  victim?.lane === LIFE &&
  mayBeAlone(kinds.find(victim.kind), victim.input) &&
  !closesLanes(declaration, input);

/** Whether an operation waits until the lanes beside "life" are open again. */
export const isBehind = ({ waiting_for, turn }: Pick<OperationRow, "waiting_for" | "turn">): boolean =>
  turn > 0 && waiting_for === LANES_OPEN;

/** Whether what runs in the lane "life" is the answer to who would take it over. */
export const isAnswer = (
  { contention, joins = [] }: Form,
  kind: string,
  running: Pick<OperationRow, "kind"> | undefined,
): running is OperationRow =>
  running !== undefined &&
  (joins.includes(running.kind) || (contention === "pre-empts-all" && running.kind === kind));

/** Where an operation stands among those of its subject. */
export interface LanePlace {
  /** The one of its lane that it takes over from. */
  readonly victim: OperationRow | undefined;
  /** Those of other lanes that end with its acceptance. */
  readonly others: readonly OperationRow[];
  /** Those that wait for an operator and end with it as well; absent: none. */
  readonly halted?: readonly OperationRow[];
  /** Those that others took over from before: what they left may still be there; absent: none. */
  readonly earlier?: readonly OperationRow[];
  /** Place in the queue; 0: it begins at once. */
  readonly turn: number;
  /** It waits, besides, until the lanes beside "life" are open again. */
  readonly behind?: true;
}

/** The place of who begins at once and takes over from nobody. */
export const AT_ONCE: LanePlace = { victim: undefined, others: [], turn: 0 };

/** The refusal of an operation, told by the one that is in its way. */
export type Busy = (rival: OperationRow | undefined) => Error;

const inProgress = (server: string, operation: OperationRow): Error =>
  CellsErrors.OPERATION_IN_PROGRESS({ server, operation: nameOf(operation) });

/** The refusal for a lane of a server. */
export const inTheLaneOf =
  (serverId: string): Busy =>
  (rival) =>
    rival === undefined ? CellsErrors.NOT_READY({ server: serverId }) : inProgress(serverId, rival);

/** The refusal for a lane of a host or of the cloud. */
export const busySubject =
  (subject: SubjectKind): Busy =>
  (rival) =>
    CellsErrors.SUBJECT_BUSY({ subject, operation: rival === undefined ? "" : nameOf(rival) });

/**
 * The place in the lane "life".
 * @param running  what runs there
 * @param others   those beside it that end when it takes over all lanes
 * @throws OPERATION_IN_PROGRESS
 */
export function placeInLife(
  serverId: string,
  running: OperationRow | undefined,
  { contention, yieldsTo = [] }: Pick<Form, "contention" | "yieldsTo">,
  others: readonly OperationRow[],
): LanePlace {
  const place = placeIn({ busy: running !== undefined, waiting: 0 }, contention);
  if (running !== undefined && (place === "refused" || yieldsTo.includes(running.kind)))
    throw inProgress(serverId, running);
  return { victim: running, others, turn: 0 };
}

/**
 * The place in the lane "life" of who takes over all lanes.
 * @param remains  operations of the server that wait for an operator, and those that others took over from
 */
export function placeOverAll(
  serverId: string,
  running: OperationRow | undefined,
  form: Pick<Form, "contention" | "yieldsTo">,
  others: readonly OperationRow[],
  remains: readonly OperationRow[],
): LanePlace {
  return {
    ...placeInLife(serverId, running, form, others),
    halted: remains.filter(({ state }) => state === "needs-operator"),
    earlier: remains.filter(({ state }) => state !== "needs-operator"),
  };
}

/**
 * The place in a lane beside "life".
 * @param beside  those of the subject beside "life" that have not ended, in the order of their turns
 * @param fence   the next of the subject: grows with each acceptance, so that it orders the queue
 * @throws what `busy` makes of the operation that is in the way
 */
export function placeAmong(
  beside: readonly OperationRow[],
  wanted: { readonly lane: string; readonly contention: Contention },
  fence: number,
  busy: Busy,
): LanePlace {
  const live = beside.filter(({ lane }) => lane === wanted.lane);
  const current = live.find(({ turn }) => turn === 0);
  const waiting = live.length - (current === undefined ? 0 : 1);
  switch (placeIn({ busy: current !== undefined, waiting }, wanted.contention)) {
    case "begins":
      return AT_ONCE;
    case "takes-over":
      return { ...AT_ONCE, victim: current };
    case "waits":
      return { ...AT_ONCE, turn: fence };
    case "refused":
      throw busy(live[0]);
  }
}

/**
 * Whether something is news of other services that must not be lost while an operation wants to be alone:
 * then it waits for the end of that. Who sends it hears that it was taken, and never says it again.
 * @param running  what runs in the lane "life"
 */
export function waitsForOpenLanes(
  kinds: Kinds,
  { contention, lock }: Pick<Form, "contention" | "lock">,
  running: OperationRow | undefined,
): boolean {
  const declaration = running && kinds.find(running.kind);
  if (running === undefined || declaration === undefined) return false;
  return contention === "waits" && lock === "ignores" && mayBeAlone(declaration, running.input);
}

/**
 * The place in a lane beside "life" of who waits until the lanes are open again.
 * @param beside  as for `placeAmong`
 * @throws what `busy` makes of the first in the lane, when too many wait there
 */
export function placeBehind(
  beside: readonly OperationRow[],
  lane: string,
  fence: number,
  busy: Busy,
): LanePlace {
  const live = beside.filter((row) => row.lane === lane);
  const waiting = live.filter(({ turn }) => turn > 0).length;
  if (placeIn({ busy: true, waiting }, "waits") === "refused") throw busy(live[0]);
  return { ...AT_ONCE, turn: fence, behind: true };
}

/**
 * Whether something may begin beside the lane "life".
 * @param running  what runs there
 * @throws NOT_READY while the server has no cell, OPERATION_IN_PROGRESS
 */
export function requireOpenLanes(
  kinds: Kinds,
  database: string,
  serverId: string,
  running: OperationRow | undefined,
): void {
  requireCell(database, serverId);
  if (running !== undefined && closesLanes(kinds.find(running.kind), running.input))
    throw inProgress(serverId, running);
}

/** Lasting states in which a guest runs. */
const RUNS: readonly VmState[] = [VmState.VM_STATE_ACTIVE, VmState.VM_STATE_RESCUED];

/**
 * Whether an operation has to know what of its server waits for an operator: one that moves the server, or
 * starts its guest. Who takes over all lanes ends that instead.
 */
export const mindsHalted = (
  { lane, migration, ends }: Pick<OperationDeclaration, "lane" | "migration" | "ends">,
  { contention }: Pick<Form, "contention">,
): boolean =>
  lane === LIFE &&
  contention !== "pre-empts-all" &&
  (migration !== undefined || ends.some((state) => RUNS.includes(state)));

/**
 * Nothing moves a server of which something waits for an operator, and nothing starts its guest while that
 * is a move: a guest of it may still run at the move's other host, and there must never be two.
 * @param halted  operations of the server that wait for an operator
 * @throws OPERATION_IN_PROGRESS
 */
export function requireNoneHalted(
  kinds: Kinds,
  serverId: string,
  { migration }: Pick<OperationDeclaration, "migration">,
  halted: readonly OperationRow[],
): void {
  const rival = halted.find(
    ({ lane, kind }) => lane === LIFE && (migration !== undefined || mayMove(kinds.find(kind))),
  );
  if (rival !== undefined) throw inProgress(serverId, rival);
}

/** A kind that nobody here knows may be one. */
const mayMove = (declaration: OperationDeclaration | undefined): boolean =>
  declaration === undefined || declaration.migration !== undefined;

/**
 * What is accepted in the global database beside the operation that takes a server to its cell would stay
 * there when it goes.
 * @throws NOT_READY while the server has no cell
 */
export function requireCell(database: string, serverId: string): void {
  if (database === GLOBAL) throw CellsErrors.NOT_READY({ server: serverId });
}
