import { pageOf } from "../../store/page.js";
import { sql } from "../../store/sql.js";
import { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import type {
  CreateStoredAggregateRequest,
  CreateStoredAggregateResponse,
  ListStoredAggregatesRequest,
  ListStoredAggregatesResponse,
  UpdateStoredAggregateRequest,
} from "../../../../gen/kilonova/cells/v1/aggregates_service.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { violates } from "../../../platform/db/index.js";
import { changedAggregate, newAggregate, zoneConflict } from "../domain/aggregate-change.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, insertInto } from "../../store/fragments.js";
import type { Part } from "../../store/fragments.js";
import { createOnce } from "../../operations/store/once.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { Store, Tx } from "../../store/tables.js";

interface AggregateRow {
  readonly generation: number;
  readonly body: Buffer;
}
interface Found {
  readonly aggregate: Aggregate;
  readonly generation: number;
}

/** The outbox row of an aggregate's new state. */
export const aggregateChanged = (
  aggregate: Aggregate,
  generation: number,
  eventType: OutboxRow["eventType"],
): OutboxRow => ({
  entityKind: "aggregate",
  entityId: aggregate.id,
  projectId: "",
  generation,
  eventType,
  payload: encoded(Aggregate, aggregate),
});

/** What goes with every change: the feed's row, and the count that `hostZones` looks at. */
const announced = ({ t }: Store, deps: StoreDeps, row: OutboxRow): Part[] => [
  outboxPart(t, deps.ids, [row], deps.clock.now()),
  { name: "counted", body: sql`UPDATE ${t.counter} SET value = value + 1 WHERE name = 'aggregate-change'` },
];

/** @throws AGGREGATE_NOT_FOUND */
async function find({ t }: Store, tx: Tx, idOrNumber: string, lock: boolean): Promise<Found> {
  const { rows } =
    await sql<AggregateRow>`SELECT generation, body FROM ${t.aggregate} WHERE id = ${idOrNumber} OR number::text = ${idOrNumber} ${lock ? sql`FOR UPDATE` : sql``}`.execute(
      tx,
    );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.AGGREGATE_NOT_FOUND({ aggregate: idOrNumber });
  return { aggregate: Aggregate.decode(row.body), generation: row.generation };
}

/** @throws AGGREGATE_EXISTS, TOKEN_REUSED; AGGREGATE_NOT_FOUND when what the token made is deleted */
export async function createAggregate(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: CreateStoredAggregateRequest,
): Promise<CreateStoredAggregateResponse> {
  const { t } = store;
  const asked = request.aggregate ?? Aggregate.fromPartial({});
  try {
    const { id, replayed } = await createOnce(
      store,
      deps,
      ctx,
      "aggregates.create",
      request.once,
      async (tx) => {
        const now = deps.clock.now();
        const { rows } = await sql<{
          value: number;
        }>`UPDATE ${t.counter} SET value = value + 1 WHERE name = 'aggregate' RETURNING value`.execute(tx);
        const aggregate = newAggregate(asked, BigInt(rows[0]?.value ?? 0), now);
        await allTogether([
          {
            name: "agg",
            body: insertInto(t.aggregate, [
              {
                number: Number(aggregate.number),
                id: aggregate.id,
                name: aggregate.name,
                generation: 1,
                body: encoded(Aggregate, aggregate),
              },
            ]),
          },
          ...announced(store, deps, aggregateChanged(aggregate, 1, "created")),
        ]).execute(tx);
        return aggregate.id;
      },
    );
    return { aggregate: await getAggregate(store, ctx, id), replayed };
  } catch (error) {
    if (violates(error, "aggregate_name_once")) throw CellsErrors.AGGREGATE_EXISTS({ name: asked.name });
    throw error;
  }
}

/** By UUID or number. @throws AGGREGATE_NOT_FOUND */
export const getAggregate = (store: Store, ctx: Ctx, idOrNumber: string): Promise<Aggregate> =>
  store.db.read(ctx, "aggregates.get", async (tx) => (await find(store, tx, idOrNumber, false)).aggregate);

/** By number; the page token is the last number. */
export async function listAggregates(
  store: Store,
  ctx: Ctx,
  query: ListStoredAggregatesRequest,
): Promise<ListStoredAggregatesResponse> {
  const limit = Math.min(1000, query.pageSize === 0 ? 1000 : query.pageSize);
  const { rows } = await store.db.statement(ctx, "aggregates.list", (db) =>
    sql<AggregateRow>`SELECT generation, body FROM ${store.t.aggregate} WHERE number > ${Number(query.pageToken || 0)} ORDER BY number ${query.host === "" ? sql`LIMIT ${limit + 1}` : sql``}`.execute(
      db,
    ),
  );
  // Aggregates are few and hosts are in their bodies: those of one host are picked here.
  const all = rows
    .map(({ body }) => Aggregate.decode(body))
    .filter(({ hosts }) => query.host === "" || hosts.includes(query.host));
  const { page, more } = pageOf(all, limit, (one) => Aggregate.encode(one).finish().length);
  return {
    aggregates: [...page],
    nextPageToken: more ? (page.at(-1)?.number.toString() ?? "") : "",
  };
}

/**
 * @throws AGGREGATE_NOT_FOUND, AGGREGATE_EXISTS, HOST_IN_AGGREGATE, HOST_NOT_IN_AGGREGATE, HOST_IN_OTHER_ZONE
 */
export async function updateAggregate(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: UpdateStoredAggregateRequest,
): Promise<Aggregate> {
  const { t } = store;
  try {
    return await store.db.write(ctx, "aggregates.update", async (tx) => {
      const { aggregate: before, generation } = await find(store, tx, request.aggregateId, true);
      const now = deps.clock.now();
      const after = changedAggregate(before, request, now);
      if (after === before) return before;
      const { rows } =
        await sql<AggregateRow>`SELECT generation, body FROM ${t.aggregate} WHERE id <> ${before.id}`.execute(
          tx,
        );
      const conflict = zoneConflict(
        after,
        rows.map(({ body }) => Aggregate.decode(body)),
      );
      if (conflict !== undefined) throw CellsErrors.HOST_IN_OTHER_ZONE(conflict);
      await allTogether([
        {
          name: "agg",
          body: sql`UPDATE ${t.aggregate} SET name = ${after.name}, generation = ${generation + 1}, body = ${encoded(Aggregate, after)} WHERE id = ${before.id}`,
        },
        ...announced(store, deps, aggregateChanged(after, generation + 1, "changed")),
      ]).execute(tx);
      return after;
    });
  } catch (error) {
    if (violates(error, "aggregate_name_once"))
      throw CellsErrors.AGGREGATE_EXISTS({ name: request.name ?? "" });
    throw error;
  }
}

/** @throws AGGREGATE_NOT_FOUND, AGGREGATE_HAS_HOSTS */
export async function deleteAggregate(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  idOrNumber: string,
): Promise<void> {
  const { t } = store;
  await store.db.write(ctx, "aggregates.delete", async (tx) => {
    const { aggregate, generation } = await find(store, tx, idOrNumber, true);
    if (aggregate.hosts.length > 0)
      throw CellsErrors.AGGREGATE_HAS_HOSTS({ aggregate: aggregate.number.toString() });
    await allTogether([
      { name: "agg", body: sql`DELETE FROM ${t.aggregate} WHERE id = ${aggregate.id}` },
      ...announced(store, deps, aggregateChanged(aggregate, generation + 1, "deleted")),
    ]).execute(tx);
  });
}
