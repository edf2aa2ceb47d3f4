import { pageOf } from "../../store/page.js";
import { sql } from "../../store/sql.js";
import { KeyPair } from "../../../../gen/kilonova/type/v1/key_pair.js";
import type { Ctx } from "../../../kernel/ctx.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { violates } from "../../../platform/db/index.js";
import { encoded } from "../../domain/bytes.js";
import { CellsErrors } from "../../errors.js";
import type { StoreDeps } from "../../store/deps.js";
import { insertInto } from "../../store/fragments.js";
import type { DefaultLimits } from "../../quota/store/quota.js";
import { limitOf } from "../../quota/store/quota.js";
import type { Store } from "../../store/tables.js";

/**
 * Stores a key pair within its user's limit, which is checked in the same transaction. @throws
 * KEY_PAIR_EXISTS, KEY_PAIR_QUOTA
 */
export async function createKeyPair(
  store: Store,
  deps: StoreDeps,
  ctx: Ctx,
  asked: KeyPair,
  projectId: string,
  defaults: DefaultLimits,
): Promise<KeyPair> {
  const { t } = store;
  try {
    return await store.db.write(ctx, "key-pairs.create", async (tx) => {
      const limit = await limitOf(store, tx, projectId, asked.userId, "key_pairs", defaults);
      const { rows: held } = await sql<{
        count: number;
        same: number;
      }>`SELECT count(*) AS count, count(*) FILTER (WHERE name = ${asked.name}) AS same FROM ${t.key_pair} WHERE user_id = ${asked.userId}`.execute(
        tx,
      );
      if ((held[0]?.same ?? 0) > 0) throw CellsErrors.KEY_PAIR_EXISTS({ name: asked.name });
      if (limit >= 0 && (held[0]?.count ?? 0) >= limit) throw CellsErrors.KEY_PAIR_QUOTA({ limit });
      const { rows } = await sql<{
        value: number;
      }>`UPDATE ${t.counter} SET value = value + 1 WHERE name = 'key_pair' RETURNING value`.execute(tx);
      const keyPair: KeyPair = {
        ...asked,
        id: BigInt(rows[0]?.value ?? 0),
        createdAt: asked.createdAt ?? toTimestamp(deps.clock.now()),
      };
      await sql`${insertInto(t.key_pair, [{ user_id: keyPair.userId, name: keyPair.name, id: Number(keyPair.id), body: encoded(KeyPair, keyPair) }])}`.execute(
        tx,
      );
      return keyPair;
    });
  } catch (error) {
    if (violates(error, "key_pair_name_once")) throw CellsErrors.KEY_PAIR_EXISTS({ name: asked.name });
    throw error;
  }
}

/** @throws KEY_PAIR_NOT_FOUND */
export async function getKeyPair(store: Store, ctx: Ctx, userId: string, name: string): Promise<KeyPair> {
  const { rows } = await store.db.statement(ctx, "key-pairs.get", (db) =>
    sql<{
      body: Buffer;
    }>`SELECT body FROM ${store.t.key_pair} WHERE user_id = ${userId} AND name = ${name}`.execute(db),
  );
  const row = rows[0];
  if (row === undefined) throw CellsErrors.KEY_PAIR_NOT_FOUND({ name });
  return KeyPair.decode(row.body);
}

/** By name. @throws MARKER_NOT_FOUND */
export async function listKeyPairs(
  store: Store,
  ctx: Ctx,
  query: {
    readonly userId: string;
    readonly pageSize: number;
    readonly pageToken: string;
    readonly marker: string;
  },
): Promise<{ keyPairs: KeyPair[]; nextPageToken: string }> {
  const { t } = store;
  const limit = Math.min(1000, query.pageSize === 0 ? 1000 : query.pageSize);
  const after = query.marker === "" ? query.pageToken : query.marker;
  return store.db.read(ctx, "key-pairs.list", async (tx) => {
    if (query.marker !== "") {
      const { rows } =
        await sql`SELECT 1 FROM ${t.key_pair} WHERE user_id = ${query.userId} AND name = ${query.marker}`.execute(
          tx,
        );
      if (rows.length === 0) throw CellsErrors.MARKER_NOT_FOUND({ marker: query.marker });
    }
    const { rows } = await sql<{ name: string; body: Buffer }>`SELECT name, body FROM ${t.key_pair}
      WHERE user_id = ${query.userId} AND (${after} = '' OR name COLLATE "C" > ${after}) ORDER BY name COLLATE "C" LIMIT ${limit + 1}`.execute(
      tx,
    );
    const { page, more } = pageOf(rows, limit, ({ body }) => body.length);
    return {
      keyPairs: page.map(({ body }) => KeyPair.decode(body)),
      nextPageToken: more ? (page.at(-1)?.name ?? "") : "",
    };
  });
}

/** @throws KEY_PAIR_NOT_FOUND */
export async function deleteKeyPair(store: Store, ctx: Ctx, userId: string, name: string): Promise<void> {
  const { rows } = await store.db.statement(ctx, "key-pairs.delete", (db) =>
    sql`DELETE FROM ${store.t.key_pair} WHERE user_id = ${userId} AND name = ${name} RETURNING 1`.execute(db),
  );
  if (rows.length === 0) throw CellsErrors.KEY_PAIR_NOT_FOUND({ name });
}
