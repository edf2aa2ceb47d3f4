import { pageOf } from "../../store/page.js";
import { sql } from "../../store/sql.js";
import type { Sql } from "../../store/sql.js";
import type {
  ListStoredFlavorsRequest,
  UpdateStoredFlavorRequest,
} from "../../../../gen/kilonova/cells/v1/global_service.js";
import { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { fromTimestampOrNull, toTimestamp } from "../../../model/wire-time.js";
import { violates } from "../../../platform/db/index.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments, insertInto } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { OutboxRow } from "../../store/outbox.js";
import type { Store, Tx } from "../../store/tables.js";

interface FlavorRow {
  readonly id: string;
  readonly generation: number;
  readonly body: Buffer;
}

const columnsOf = (flavor: Flavor, generation: number): Readonly<Record<string, unknown>> => ({
  name: flavor.name,
  is_public: flavor.isPublic,
  disabled: flavor.disabled,
  vcpus: flavor.vcpus,
  memory_mib: flavor.memoryMib,
  root_gib: flavor.rootGib,
  ephemeral_gib: flavor.ephemeralGib,
  swap_mib: flavor.swapMib,
  rxtx_factor: flavor.rxtxFactor,
  description: flavor.description ?? null,
  updated_at: fromTimestampOrNull(flavor.updatedAt),
  project_ids: flavor.projectIds,
  generation,
  body: encoded(Flavor, flavor),
});

const changed = (flavor: Flavor, generation: number, eventType: OutboxRow["eventType"]): OutboxRow => ({
  entityKind: "flavor",
  entityId: flavor.id,
  projectId: "",
  generation,
  eventType,
  payload: encoded(Flavor, flavor),
});

/**
 * @throws FLAVOR_EXISTS, FLAVOR_NAME_EXISTS, unless `ifAbsent`: then the stored one of that id is the answer
 */
export async function createFlavor(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  asked: Flavor,
  ifAbsent: boolean,
): Promise<Flavor> {
  const { t } = store;
  const now = deps.clock.now();
  const flavor: Flavor = {
    ...asked,
    createdAt: asked.createdAt ?? toTimestamp(now),
    projectIds: [...new Set(asked.projectIds)].sort(),
  };
  try {
    return await store.db.write(ctx, "flavors.create", async (tx) => {
      const found = ifAbsent ? await find(store, tx, flavor.id) : undefined;
      if (found !== undefined) return Flavor.decode(found.body);
      await allTogether([
        {
          name: "flavor",
          body: insertInto(t.flavor, [
            { id: flavor.id, created_at: fromTimestampOrNull(flavor.createdAt), ...columnsOf(flavor, 1) },
          ]),
        },
        outboxPart(t, deps.ids, [changed(flavor, 1, "created")], now),
      ]).execute(tx);
      return flavor;
    });
  } catch (error) {
    if (violates(error, "flavor_id_once")) throw CellsErrors.FLAVOR_EXISTS({ flavor: flavor.id });
    if (violates(error, "flavor_name_once")) throw CellsErrors.FLAVOR_NAME_EXISTS({ name: flavor.name });
    throw error;
  }
}

async function find(store: Store, tx: Tx, id: string): Promise<FlavorRow | undefined> {
  const { rows } =
    await sql<FlavorRow>`SELECT id, generation, body FROM ${store.t.flavor} WHERE id = ${id}`.execute(tx);
  return rows[0];
}

/** By id, else by name. Private ones exist only for projects with access. @throws FLAVOR_NOT_FOUND */
export async function getFlavor(
  store: Store,
  ctx: Ctx,
  idOrName: string,
  projectId: string,
  seeAll: boolean,
): Promise<Flavor> {
  const { rows } = await store.db.statement(ctx, "flavors.get", (db) =>
    sql<FlavorRow>`SELECT id, generation, body FROM ${store.t.flavor}
    WHERE (id = ${idOrName} OR name = ${idOrName}) AND ${seeing(projectId, seeAll)} ORDER BY id = ${idOrName} DESC LIMIT 1`.execute(
      db,
    ),
  );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.FLAVOR_NOT_FOUND({ flavor: idOrName });
  return Flavor.decode(row.body);
}

const seeing = (projectId: string, seeAll: boolean): Sql =>
  seeAll ? sql`true` : sql`(is_public OR ${projectId} = ANY(project_ids))`;

/** REST's sort keys. @source compute-api-query-params, GET /flavors sort_key */
const SORT: ReadonlyMap<string, string> = new Map(
  Object.entries({
    flavorid: "id",
    id: "id",
    name: "name",
    memory_mb: "memory_mib",
    vcpus: "vcpus",
    vcpu_weight: "vcpus",
    root_gb: "root_gib",
    ephemeral_gb: "ephemeral_gib",
    swap: "swap_mib",
    rxtx_factor: "rxtx_factor",
    is_public: "is_public",
    disabled: "disabled",
    created_at: "created_at",
    updated_at: "updated_at",
    description: "description",
  }),
);

/**
 * A page of flavors; sorted by flavor id when nothing is asked. @throws MARKER_NOT_FOUND, SORT_KEY_INVALID
 */
export async function listFlavors(
  store: Store,
  ctx: Ctx,
  query: ListStoredFlavorsRequest,
): Promise<{ flavors: Flavor[]; nextPageToken: string }> {
  const limit = Math.min(1000, query.pageSize === 0 ? 1000 : query.pageSize);
  const keys = query.sort.map(({ field, direction }) => {
    const column = SORT.get(field);
    if (column === undefined) throw CellsErrors.SORT_KEY_INVALID({ field });
    return { column, descending: direction === SortDirection.SORT_DIRECTION_DESC };
  });
  const order = sql.join(
    [...keys, { column: "id", descending: keys[0]?.descending ?? false }].map(
      ({ column, descending }) =>
        sql`${sql.ref(column)}${TEXT.has(column) ? sql` COLLATE "C"` : sql``}${descending ? sql` DESC NULLS LAST` : sql` ASC NULLS FIRST`}`,
    ),
  );
  const conditions = [
    seeing(query.projectId, query.seeAll),
    ...(query.isPublic === undefined ? [] : [sql`is_public = ${query.isPublic}`]),
    ...(query.minMemoryMib === 0 ? [] : [sql`memory_mib >= ${query.minMemoryMib}`]),
    ...(query.minRootGib === 0 ? [] : [sql`root_gib >= ${query.minRootGib}`]),
    ...(query.name === "" ? [] : [sql`name = ${query.name}`]),
  ];
  const marker = query.marker === "" ? query.pageToken : query.marker;
  return store.db.read(ctx, "flavors.list", async (tx) => {
    // Places in the sorted list: flavors are few, and any sort may be asked for.
    const ranked = sql`SELECT id, body, row_number() OVER (ORDER BY ${order}) AS place FROM ${store.t.flavor} WHERE ${sql.join(conditions, sql` AND `)}`;
    const from = marker === "" ? 0 : await placeOf(tx, ranked, marker);
    const { rows } =
      await sql<FlavorRow>`SELECT id, body FROM (${ranked}) AS r WHERE place > ${from} ORDER BY place LIMIT ${limit + 1}`.execute(
        tx,
      );
    const { page, more } = pageOf(rows, limit, ({ body }) => body.length);
    return {
      flavors: page.map(({ body }) => Flavor.decode(body)),
      nextPageToken: more ? (page.at(-1)?.id ?? "") : "",
    };
  });
}

const TEXT = new Set(["id", "name", "description"]);

async function placeOf(tx: Tx, ranked: Sql, marker: string): Promise<number> {
  const { rows } = await sql<{
    place: number;
  }>`SELECT place FROM (${ranked}) AS r WHERE id = ${marker}`.execute(tx);
  const row = rows[0];
  if (row === undefined) throw CellsErrors.MARKER_NOT_FOUND({ marker });
  return row.place;
}

/** @throws FLAVOR_NOT_FOUND, EXTRA_SPEC_NOT_FOUND, FLAVOR_ACCESS_EXISTS, FLAVOR_ACCESS_NOT_FOUND */
export async function updateFlavor(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: UpdateStoredFlavorRequest,
): Promise<Flavor> {
  const id = request.flavor?.id ?? "";
  return store.db.write(ctx, "flavors.update", async (tx) => {
    const row = await find(store, tx, id);
    if (row === undefined) throw CellsErrors.FLAVOR_NOT_FOUND({ flavor: id });
    const now = deps.clock.now();
    const flavor = { ...changedFlavor(Flavor.decode(row.body), request), updatedAt: toTimestamp(now) };
    const generation = row.generation + 1;
    await allTogether([
      {
        name: "flavor",
        body: sql`UPDATE ${store.t.flavor} SET ${assignments(columnsOf(flavor, generation))} WHERE id = ${id}`,
      },
      outboxPart(store.t, deps.ids, [changed(flavor, generation, "changed")], now),
    ]).execute(tx);
    return flavor;
  });
}

/** A flavor after an update; pure. */
function changedFlavor(flavor: Flavor, request: UpdateStoredFlavorRequest): Flavor {
  const extraSpecs = new Map([...flavor.extraSpecs, ...request.setExtraSpecs]);
  for (const key of request.removeExtraSpecs)
    if (!extraSpecs.delete(key)) throw CellsErrors.EXTRA_SPEC_NOT_FOUND({ flavor: flavor.id, key });
  const projects = new Set(flavor.projectIds);
  for (const project of request.addProjects) {
    if (projects.has(project)) throw CellsErrors.FLAVOR_ACCESS_EXISTS({ flavor: flavor.id, project });
    projects.add(project);
  }
  for (const project of request.removeProjects)
    if (!projects.delete(project)) throw CellsErrors.FLAVOR_ACCESS_NOT_FOUND({ flavor: flavor.id, project });
  const next: Flavor = { ...flavor, extraSpecs, projectIds: [...projects].sort() };
  for (const path of request.updateMask ?? []) {
    if (path !== "description")
      throw CommonErrors.INVALID_ARGUMENT({ field: "update_mask", problem: `${path} cannot be changed` });
    next.description = request.flavor?.description;
  }
  return next;
}

/** @throws FLAVOR_NOT_FOUND */
export async function deleteFlavor(store: Store, deps: StoreDeps, ctx: Ctx, id: string): Promise<void> {
  await store.db.write(ctx, "flavors.delete", async (tx) => {
    const row = await find(store, tx, id);
    if (row === undefined) throw CellsErrors.FLAVOR_NOT_FOUND({ flavor: id });
    await allTogether([
      { name: "flavor", body: sql`DELETE FROM ${store.t.flavor} WHERE id = ${id}` },
      outboxPart(
        store.t,
        deps.ids,
        [changed(Flavor.decode(row.body), row.generation + 1, "deleted")],
        deps.clock.now(),
      ),
    ]).execute(tx);
  });
}
