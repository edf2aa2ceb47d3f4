import { sql } from "../../store/sql.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { KilonovaError } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { formOf } from "../../../model/operation-declaration.js";
import type { Contention } from "../../../model/operation-declaration.js";
import { LANES_OPEN } from "../../../model/operation-states.js";
import { sqlTime } from "../../../platform/db/index.js";
import { checkAcceptable } from "../domain/acceptance.js";
import { begun, endedWaiting, isGivenUp } from "../domain/ended-early.js";
import { LIFE, isBehind, placeAmong } from "../domain/lanes.js";
import type { Busy, LanePlace } from "../domain/lanes.js";
import { nameOf } from "../domain/operation-rows.js";
import { cutEvent } from "../domain/timeline-rows.js";
import { serverOf } from "../../servers/domain/records.js";
import { requireCapability, requireHost } from "./capability.js";
import { endMigrations } from "./end-migrations.js";
import { operationChanged } from "../../servers/store/changed-rows.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
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

/** Operations of a subject that wait for an operator: they end with it. */
export async function haltedOn(store: Store, tx: Tx, subjectId: string): Promise<OperationRow[]> {
  const { rows } = await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o
    WHERE o.server_id = ${subjectId} AND o.state = 'needs-operator' ORDER BY o.id`.execute(tx);
  return rows;
}

/** Remains that are looked after; those that wait for an operator come first. */
const REMAINS_AT_MOST = 200;

/**
 * What whoever takes over everything on a server ends or looks after besides: operations that wait for an
 * operator, and those that were pre-empted before, perhaps by somebody who left what they had made, newest
 * first.
 */
export async function remainsOn(store: Store, tx: Tx, serverId: string): Promise<OperationRow[]> {
  const { rows } = await sql<OperationRow>`SELECT ${operationColumns("o")} FROM ${store.t.operation} AS o
    WHERE o.server_id = ${serverId} AND o.state IN ('needs-operator', 'preempted')
    ORDER BY o.state, o.created_at DESC LIMIT ${REMAINS_AT_MOST}`.execute(tx);
  return rows;
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
  busy: Busy,
): Promise<LanePlace> {
  return placeAmong(await liveBeside(store, tx, wanted.subjectId), wanted, fence, busy);
}

/**
 * Parts that store how operations ended otherwise than by a commit of theirs, and end what their timelines
 * show. None of them keeps its secrets.
 */
export function endingParts(store: Store, ended: readonly OperationRow[], now: Instant): Part[] {
  if (ended.length === 0) return [];
  const { t } = store;
  const ids = ended.map(({ id }) => id);
  const failed = ended.filter(({ state }) => state !== "preempted");
  return [
    {
      name: "ended",
      body: sql`UPDATE ${t.operation} AS o SET state = e.state, ready_at = e.ready_at, secrets = NULL, error = e.error,
          other_fields = e.other_fields, generation = e.generation, updated_at = ${now}
        FROM unnest(${ids}::text[], ${ended.map(({ state }) => state)}::text[], ${ended.map(readyAt)}::timestamptz[],
          ${ended.map(({ error }) => error)}::bytea[], ${ended.map((row) => row.other_fields)}::bytea[],
          ${ended.map(({ generation }) => generation)}::int8[]) AS e (id, state, ready_at, error, other_fields, generation)
        WHERE o.id = e.id`,
    },
    cutEventsPart(store, ended, now),
    ...(failed.length === 0
      ? []
      : [
          {
            name: "failed",
            body: sql`UPDATE ${t.instance_action} SET updated_at = ${now}, failed = true
              WHERE server_id = ANY(${failed.map((row) => row.server_id)}::text[]) AND id = ANY(${failed.map(({ id }) => id)}::text[])`,
          },
        ]),
  ];
}

/** Ends what the timelines of operations show as running, each with its operation's own error. */
export function cutEventsPart({ t }: Store, ended: readonly OperationRow[], now: Instant): Part {
  const cut = ended.map((row) => cutEvent(row, now));
  return {
    name: "cut",
    body: sql`UPDATE ${t.instance_action_event} AS v SET finished_at = ${now}, result = 'Error', details = e.details, traceback = e.traceback
        FROM unnest(${ended.map(({ id }) => id)}::text[], ${cut.map(({ details }) => details)}::text[], ${cut.map(({ traceback }) => traceback)}::text[])
          AS e (id, details, traceback)
        WHERE v.action_id = e.id AND v.finished_at IS NULL`,
  };
}

/** Times in arrays are text. */
const readyAt = ({ ready_at }: OperationRow): string | null => (ready_at === null ? null : sqlTime(ready_at));

/**
 * Gives the turns that an ended operation has held to others: the one of its lane, or, when it was in the
 * lane "life", those of all that waited until it had ended.
 * @param row     the one that ended; one of the lane "life" has owned the server, and wanted to be alone
 * @param record  as for `nextInLane`
 * @returns names of the operations whose turn it is
 * @cost as `nextInLane`, in the lane "life" for each lane in which somebody waited
 */
export async function passTurns(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  row: Pick<OperationRow, "server_id" | "lane">,
  record: InstanceRecord | undefined,
  now: Instant,
): Promise<readonly string[]> {
  const { server_id } = row;
  const lanes = row.lane === LIFE ? await openLanes(store, tx, server_id) : [row.lane];
  const begun: string[] = [];
  for (const lane of lanes) {
    const next = await nextInLane(store, deps, tx, { server_id, lane }, record, now);
    if (next !== undefined) begun.push(next);
  }
  return begun;
}

/** Has those that waited until lanes are open wait as all others do. @returns their lanes */
async function openLanes({ t }: Store, tx: Tx, serverId: string): Promise<readonly string[]> {
  const { rows } = await sql<Pick<OperationRow, "lane">>`UPDATE ${t.operation} SET waiting_for = ''
    WHERE server_id = ${serverId} AND state = 'running' AND turn > 0 AND waiting_for = ${LANES_OPEN} RETURNING lane`.execute(
    tx,
  );
  return [...new Set(rows.map(({ lane }) => lane))].sort();
}

/**
 * Gives a lane's turn to the first that waits and that its subject still fits; those before it end as
 * FAILED. Who waits until lanes are open is passed over. Call it in the transaction that ended the one
 * before, once that is written, with the holder locked.
 * @param before  the one that ended
 * @param record  the server's as the transaction leaves it; undefined when the subject is none
 * @returns the name of the operation whose turn it is; undefined when nobody waits
 * @cost one statement when nobody waits; else one to four more
 */
async function nextInLane(
  store: Store,
  deps: StoreDeps,
  tx: Tx,
  before: Pick<OperationRow, "server_id" | "lane">,
  record: InstanceRecord | undefined,
  now: Instant,
): Promise<string | undefined> {
  const { t } = store;
  const live = (await liveBeside(store, tx, before.server_id)).filter(
    (row) => row.lane === before.lane && !isBehind(row),
  );
  if (live.some(({ turn }) => turn === 0)) return undefined;
  const ended: OperationRow[] = [];
  let next: OperationRow | undefined;
  for (const row of live) {
    const refusal = await refusalOf(store, deps, tx, row, record);
    if (refusal === undefined) {
      next = begun(row, now);
      break;
    }
    ended.push(endedWaiting(row, "failed", refusal, now));
  }
  if (ended.length === 0 && next === undefined) return undefined;
  await endMigrations(store, deps, tx, ended, "", now);
  const endings = endingParts(store, ended, now);
  const events = [...ended, ...(next === undefined ? [] : [next])].map((row) => operationChanged(row));
  const outbox = outboxPart(t, deps.ids, events, now);
  if (next === undefined) {
    await allTogether([...endings, outbox]).execute(tx);
    return undefined;
  }
  if (endings.length > 0) await allTogether(endings).execute(tx);
  const { id, turn, waiting_for, ready_at, generation, updated_at } = next;
  const turning = {
    name: "next",
    body: sql`UPDATE ${t.operation} SET ${assignments({ turn, waiting_for, ready_at, generation, updated_at })} WHERE id = ${id}`,
  };
  await allTogether([turning, outbox]).execute(tx);
  return nameOf(next);
}

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
