import { sql } from "../../store/sql.js";
import { OperationError } from "../../../../gen/kilonova/type/v1/operation.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { HeldQuota } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { StoredOperation } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import { KilonovaError } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { Contention } from "../../../model/operation-declaration.js";
import { nameOf } from "./operation-rows.js";
import { checkAcceptable } from "../domain/acceptance.js";
import { LIFE, placeIn } from "../domain/lanes.js";
import { encoded } from "../../domain/bytes.js";
import { serverOf } from "../../servers/domain/records.js";
import { heldByRecord } from "../../quota/domain/claims.js";
import { requireCapability, requireHost } from "./capability.js";
import { endMigrations } from "./end-migrations.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import { withOtherOperationFields } from "./operation-rows.js";
import { operationColumns } from "./owned-operation.js";
import type { OperationRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";

/**
 * Operations of a subject in lanes other than "life" that have not ended, those whose turn has come first,
 * then in the order of the queue. The caller has locked the subject's holder.
 */
export async function liveBeside(store: Store, tx: Tx, subjectId: string): Promise<OperationRow[]> {
  const { rows } = await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o
    WHERE o.server_id = ${subjectId} AND o.lane <> 'life' AND o.state IN ('running', 'parked', 'undoing') ORDER BY o.turn`.execute(
    tx,
  );
  return rows;
}

/** Operations of a server that wait for an operator: whoever takes over everything ends them, too. */
export async function haltedOn(store: Store, tx: Tx, serverId: string): Promise<OperationRow[]> {
  const { rows } = await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o
    WHERE o.server_id = ${serverId} AND o.state = 'needs-operator' ORDER BY o.id`.execute(tx);
  return rows;
}

/** Where an operation stands among those of its subject. */
export interface LanePlace {
  /** The one of its lane that it takes over from. */
  readonly victim: OperationRow | undefined;
  /** Those of other lanes that end with its acceptance. */
  readonly others: readonly OperationRow[];
  /** Those that wait for an operator and end with it as well; absent: none. */
  readonly halted?: readonly OperationRow[];
  /** Place in the queue; 0: it begins at once. */
  readonly turn: number;
}

/**
 * Finds an operation's place in a lane beside "life". The caller has locked the holder.
 * @param fence  the holder's next: grows with each acceptance, so that it orders the queue
 * @param busy   the refusal
 * @throws what `busy` makes of the operation that is in the way
 */
export async function placeBeside(
  store: Store,
  tx: Tx,
  wanted: { readonly subjectId: string; readonly lane: string; readonly contention: Contention },
  fence: number,
  busy: (rival: OperationRow | undefined) => Error,
): Promise<LanePlace> {
  return placeAmong(await liveBeside(store, tx, wanted.subjectId), wanted, fence, busy);
}

/** As `placeBeside`. @param beside  what `liveBeside` finds */
export function placeAmong(
  beside: readonly OperationRow[],
  wanted: { readonly lane: string; readonly contention: Contention },
  fence: number,
  busy: (rival: OperationRow | undefined) => Error,
): LanePlace {
  const live = beside.filter(({ lane }) => lane === wanted.lane);
  const current = live.find(({ turn }) => turn === 0);
  const waiting = live.length - (current === undefined ? 0 : 1);
  switch (placeIn({ busy: current !== undefined, waiting }, wanted.contention)) {
    case "begins":
      return { victim: undefined, others: [], turn: 0 };
    case "takes-over":
      return { victim: current, others: [], turn: 0 };
    case "waits":
      return { victim: undefined, others: [], turn: fence };
    case "refused":
      throw busy(live[0]);
  }
}

/**
 * A pre-empted operation's row. Its fence ends here: the number that the next acquisition mints is higher
 * than any it had. It stays its owner's until that one has come to the end of its step: what no fence holds
 * back may still be under way.
 * @param successor  name of the operation that takes over
 * @param server     its server, when it has one
 */
export const preempted = (
  victim: OperationRow,
  successor: string,
  now: Instant,
  server?: Server,
): OperationRow => ({
  ...victim,
  state: "preempted",
  other_fields: withOtherOperationFields(victim.other_fields, {
    successor,
    ...heldWhenCut(victim, server),
  }),
  ready_at: victim.owner === "" ? null : victim.ready_at,
  secrets: null,
  generation: victim.generation + 1,
  updated_at: now,
});

/** What is told of quota where an operation was ended from outside: see `StoredOperation.held`. */
export function heldWhenCut(
  { lane }: Pick<OperationRow, "lane">,
  server: Server | undefined,
): Partial<Pick<StoredOperation, "held">> {
  if (lane !== LIFE || server === undefined) return {};
  const { instances, cores, ram } = heldByRecord(server);
  return { held: HeldQuota.fromPartial({ instances, cores, memoryMib: ram }) };
}

/** Ends what the timeline of an operation shows as running, with the operation's own error. */
export const cutEventsPart = (
  { t }: Store,
  name: string,
  { id, error }: Pick<OperationRow, "id" | "error">,
  now: Instant,
): Part => {
  const { message, reason } = error === null ? NO_ERROR : OperationError.decode(error);
  return {
    name,
    body: sql`UPDATE ${t.instance_action_event} SET ${assignments({ finished_at: now, result: "Error", details: message, traceback: reason })} WHERE action_id = ${id} AND finished_at IS NULL`,
  };
};

const NO_ERROR = { message: "", reason: "" };

/** Stores how operations ended otherwise than by a commit of theirs, and ends what their timelines show. */
export function endingParts(store: Store, ended: readonly OperationRow[], now: Instant): Part[] {
  const { t } = store;
  return ended.flatMap(
    ({ id, server_id, state, ready_at, secrets, error, other_fields, generation, updated_at }, index) => [
      {
        name: `ended${index}`,
        body: sql`UPDATE ${t.operation} SET ${assignments({ state, ready_at, secrets, error, other_fields, generation, updated_at })} WHERE id = ${id}`,
      },
      cutEventsPart(store, `cut${index}`, { id, error }, now),
      ...(state === "preempted"
        ? []
        : [
            {
              name: `failed${index}`,
              body: sql`UPDATE ${t.instance_action} SET updated_at = ${now}, failed = true WHERE server_id = ${server_id} AND id = ${id}`,
            },
          ]),
    ],
  );
}

/** One that waited, ended before its turn. */
export const endedWaiting = (
  row: OperationRow,
  state: "failed" | "cancelled",
  { reason, domain, message, facts }: KilonovaError,
  now: Instant,
): OperationRow => ({
  ...row,
  state,
  ready_at: null,
  secrets: null,
  error: encoded(
    OperationError,
    OperationError.fromPartial({ reason, domain, message, facts: new Map(Object.entries(facts)) }),
  ),
  generation: row.generation + 1,
  updated_at: now,
});

/**
 * Gives a lane's turn to the first that waits and that its subject still fits; those before it end as
 * FAILED. Call it in the transaction that ended the one before, once that is written, with the holder
 * locked.
 * @param before  the one that ended
 * @param record  the server's as the transaction leaves it; undefined when the subject is none
 * @returns the name of the operation whose turn it is; undefined when nobody waits
 * @cost one statement when nobody waits; else one to three more
 */
export async function nextInLane(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  before: Pick<OperationRow, "server_id" | "lane">,
  record: InstanceRecord | undefined,
  now: Instant,
): Promise<string | undefined> {
  const { t } = store;
  const live = (await liveBeside(store, tx, before.server_id)).filter(({ lane }) => lane === before.lane);
  if (live.some(({ turn }) => turn === 0)) return undefined;
  const ended: OperationRow[] = [];
  let next: OperationRow | undefined;
  for (const row of live) {
    const refusal = await refusalOf(store, deps, tx, row, record);
    if (refusal === undefined) {
      next = { ...row, turn: 0, ready_at: now, generation: row.generation + 1, updated_at: now };
      break;
    }
    ended.push(endedWaiting(row, "failed", refusal, now));
  }
  if (ended.length === 0 && next === undefined) return undefined;
  await endMigrations(store, deps, tx, ended, "", now);
  const parts = endingParts(store, ended, now);
  if (next !== undefined) {
    const { id, turn, ready_at, generation, updated_at } = next;
    parts.push({
      name: "next",
      body: sql`UPDATE ${t.operation} SET ${assignments({ turn, ready_at, generation, updated_at })} WHERE id = ${id}`,
    });
  }
  const changed = [...ended, ...(next === undefined ? [] : [next])].map((row) => operationChanged(row));
  await allTogether([...parts, outboxPart(t, deps.ids, changed, now)]).execute(tx);
  return next === undefined ? undefined : nameOf(next);
}

const GIVEN_UP: ReadonlySet<string> = new Set(["refused", "unsupported", "missing"]);

/** Whether an operation that waited ends because of this. */
export const isGivenUp = (error: unknown): error is KilonovaError =>
  error instanceof KilonovaError && GIVEN_UP.has(error.kind);

/**
 * Why an operation that waited may not begin; undefined when it may. Locks are not judged again: they stop
 * who asks, not what was accepted. A kind that this process does not know begins: who knows it will see.
 */
async function refusalOf(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  { kind, input, subject, server_id }: OperationRow,
  record: InstanceRecord | undefined,
): Promise<KilonovaError | undefined> {
  const declaration = deps.operations.find(kind);
  if (declaration === undefined) return undefined;
  const { action } = declaration;
  try {
    if (subject === "host") await requireHost(store, tx, declaration, server_id);
    if (record !== undefined) {
      const server = serverOf(record);
      checkAcceptable(server, { form: formOf(declaration, input), action, bypassLock: true });
      await requireCapability(store, tx, declaration, server);
    }
    return undefined;
  } catch (error) {
    if (isGivenUp(error)) return error;
    throw error;
  }
}
