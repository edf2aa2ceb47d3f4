import { sql } from "../../store/sql.js";
import type {
  GetInstanceRequest,
  UpdateInstanceRequest,
} from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { UNENDED } from "../../../model/migration-states.js";
import { askedOf, checkAcceptable } from "../../operations/domain/acceptance.js";
import { applyUserChange } from "../domain/apply-change.js";
import { volumesOf } from "../domain/block-devices.js";
import { instanceColumns } from "../domain/instance-columns.js";
import { loadRecord, serverOf } from "../domain/records.js";
import { CellsErrors } from "../../errors.js";
import { instanceChanged } from "./changed-rows.js";
import { rowParts, volumeChanged } from "./server-rows.js";
import { progressColumn, withProgress } from "./shown-progress.js";
import type { WithProgress } from "./shown-progress.js";
import type { StoreDeps } from "../../store/deps.js";
import { allTogether, assignments } from "../../store/fragments.js";
import { outboxPart } from "../../store/outbox.js";
import type { InstanceRow } from "../../store/rows.js";
import type { Store, Tx } from "../../store/tables.js";

const MAX_ASKED = 500;

/** What decides whether a record may be seen. */
type Visible = Pick<InstanceRow, "leaving_to"> & {
  readonly project_id: string;
  readonly deleted: boolean;
};
type FoundRow = InstanceRow & Visible;

const FOUND = sql`project_id, deleted_at IS NOT NULL AS deleted, generation, current_operation, operation_fence, leaving_to, number, server, details, user_data`;

/** @throws SERVER_NOT_FOUND; SERVER_MOVED when the record has gone to another database */
export async function getInstance(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: GetInstanceRequest,
): Promise<InstanceRecord> {
  const { rows } = await store.db.statement(ctx, "instances.get", (db) =>
    sql<
      FoundRow & WithProgress
    >`SELECT ${FOUND}, ${progressColumn(store.t)} FROM ${store.t.instance} WHERE id = ${request.serverId}`.execute(
      db,
    ),
  );
  const row = visible(rows[0], request);
  const loaded = loadRecord(row);
  const record = { ...loaded, server: withProgress(serverOf(loaded), row) };
  if (!request.withUserData || row.user_data === null)
    return { ...record, encryptedUserData: Buffer.alloc(0) };
  const userData = deps.box.open(row.user_data, request.serverId).toString();
  return { ...record, encryptedUserData: Buffer.alloc(0), server: { ...serverOf(record), userData } };
}

/**
 * Reads a record and keeps others from changing it until the transaction ends. @throws SERVER_NOT_FOUND,
 * SERVER_MOVED
 */
export async function lockInstance(
  store: Store,
  tx: Tx,
  asked: { readonly serverId: string; readonly projectId: string },
): Promise<InstanceRecord> {
  const { rows } =
    await sql<FoundRow>`SELECT ${FOUND} FROM ${store.t.instance} WHERE id = ${asked.serverId} FOR UPDATE`.execute(
      tx,
    );
  return loadRecord(visible(rows[0], asked));
}

/** @throws SERVER_NOT_FOUND, SERVER_MOVED */
export function visible<R extends Visible>(
  row: R | undefined,
  asked: { readonly serverId: string; readonly projectId: string; readonly withDeleted?: boolean },
): R {
  if (
    row === undefined ||
    (row.deleted && asked.withDeleted !== true) ||
    (asked.projectId !== "" && row.project_id !== asked.projectId)
  ) {
    throw CellsErrors.SERVER_NOT_FOUND({ server: asked.serverId });
  }
  if (row.leaving_to !== "") throw CellsErrors.SERVER_MOVED({ server: asked.serverId });
  return row;
}

/** The database for which a server is leaving this one; "" for none, or when it is not here (any more). */
export async function leavingTo(store: Store, ctx: Ctx, serverId: string): Promise<string> {
  const { rows } = await store.db.statement(ctx, "instances.leaving-to", (db) =>
    sql<
      Pick<InstanceRow, "leaving_to">
    >`SELECT leaving_to FROM ${store.t.instance} WHERE id = ${serverId}`.execute(db),
  );
  return rows[0]?.leaving_to ?? "";
}

/** A record after a user's change. */
interface Updated {
  readonly instance: InstanceRecord;
  readonly changed: boolean;
}

/**
 * Changes what a user may change at once, whatever operation runs.
 * @throws SERVER_NOT_FOUND, SERVER_MOVED, GENERATION_CONFLICT; INVALID_STATE, INSTANCE_LOCKED of the
 *   conditions; NOT_READY, VOLUME_ATTACHMENT_NOT_FOUND of a volume; what `applyUserChange` throws
 */
export async function updateInstance(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  request: UpdateInstanceRequest,
): Promise<Updated> {
  const serverId = request.server?.id ?? "";
  return store.db.write(ctx, "instances.update", async (tx) => {
    const { rows } =
      await sql<FoundRow>`SELECT ${FOUND} FROM ${store.t.instance} WHERE id = ${serverId} FOR UPDATE`.execute(
        tx,
      );
    const row = visible(rows[0], { serverId, projectId: request.projectId });
    if (request.expectedGeneration !== 0n && BigInt(row.generation) !== request.expectedGeneration)
      throw CellsErrors.GENERATION_CONFLICT({ server: serverId });
    const now = deps.clock.now();
    const before = loadRecord(row);
    if (request.conditions !== undefined) checkAcceptable(serverOf(before), askedOf(request.conditions));
    const devices = request.volume && (await volumeChanged(store, deps, tx, before, request.volume, now));
    const written = devices?.written ?? [];
    const volumes = written.length === 0 ? undefined : volumesOf(devices?.present ?? []);
    const record = applyUserChange(before, request, now, volumes);
    if (record === before)
      return { instance: { ...record, encryptedUserData: Buffer.alloc(0) }, changed: false };
    const columns = instanceColumns(record);
    await allTogether([
      {
        name: "inst",
        body: sql`UPDATE ${store.t.instance} SET ${assignments(columns)} WHERE id = ${serverId}`,
      },
      ...rowParts(store, deps, { devices: written, migrations: [] }),
      outboxPart(store.t, deps.ids, [instanceChanged(record, columns, "changed")], now),
    ]).execute(tx);
    return { instance: { ...record, encryptedUserData: Buffer.alloc(0) }, changed: true };
  });
}

/** Records that are not deleted, on one host or anywhere. */
export async function countInstances(store: Store, ctx: Ctx, host: string): Promise<number> {
  const { rows } = await store.db.statement(ctx, "instances.count", (db) =>
    sql<{ count: number }>`
    SELECT count(*) AS count FROM ${store.t.instance} WHERE deleted_at IS NULL AND (${host} = '' OR host = ${host})`.execute(
      db,
    ),
  );
  return rows[0]?.count ?? 0;
}

/** A host's records by id, a page at a time. */
export async function listHostInstances(
  store: Store,
  ctx: Ctx,
  host: string,
  after: string,
): Promise<{ instances: InstanceRecord[]; nextPageToken: string }> {
  const limit = 500;
  const { rows } = await store.db.statement(ctx, "instances.of-host", (db) =>
    sql<InstanceRow & { id: string }>`
    SELECT id, number, server, details FROM ${store.t.instance} WHERE host = ${host} AND deleted_at IS NULL AND id > ${after} ORDER BY id LIMIT ${limit}`.execute(
      db,
    ),
  );
  return {
    instances: rows.map((row) => loadRecord(row)),
    nextPageToken: rows.length === limit ? (rows.at(-1)?.id ?? "") : "",
  };
}

/** @throws INVALID_ARGUMENT for more than {@link MAX_ASKED} */
export function requireFew(serverIds: readonly string[]): void {
  if (serverIds.length > MAX_ASKED)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "server_ids",
      problem: `must not be more than ${MAX_ASKED}`,
    });
}

/** A server, and the fence of the last operation on it. */
interface Fenced {
  readonly serverId: string;
  readonly fence: bigint;
}

/**
 * Those of the servers whose record is here and owned by no operation: marked deleted, or living elsewhere
 * than on the host that asks, to or from which no move of theirs is under way or rests.
 * @param serverIds  at most {@link MAX_ASKED}
 */
export async function findDeletedInstances(
  { db, t }: Store,
  ctx: Ctx,
  { host, serverIds }: { readonly host: string; readonly serverIds: readonly string[] },
): Promise<{ deleted: Fenced[]; elsewhere: Fenced[] }> {
  requireFew(serverIds);
  const { rows } = await db.statement(ctx, "instances.deleted", (on) =>
    sql<{ id: string; operation_fence: number; deleted: boolean }>`
    SELECT i.id, i.operation_fence, i.deleted_at IS NOT NULL AS deleted FROM ${t.instance} AS i
    WHERE i.id = ANY(${serverIds}::text[]) AND i.current_operation = '' AND i.leaving_to = ''
      AND (i.deleted_at IS NOT NULL OR (i.host IS DISTINCT FROM ${host} AND NOT EXISTS (
        SELECT 1 FROM ${t.migration} AS m
        WHERE m.server_id = i.id AND ${host}::text IN (m.source_host, m.target_host)
          AND m.status = ANY(${UNENDED}::text[]) AND m.deleted_at IS NULL)))`.execute(on),
  );
  const fenced = (deleted: boolean): Fenced[] =>
    rows
      .filter((row) => row.deleted === deleted)
      .map((row) => ({ serverId: row.id, fence: BigInt(row.operation_fence) }));
  return { deleted: fenced(true), elsewhere: fenced(false) };
}
