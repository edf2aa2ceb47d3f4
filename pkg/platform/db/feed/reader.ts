import { sql } from "kysely";
import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import type { Ctx } from "../../../kernel/ctx.js";
import type { Instant } from "../../../kernel/time.js";
import type { Database } from "../database.js";
import { FeedErrors } from "./errors.js";
import { fitting } from "./page.js";
import type { FeedEntry, FeedHead, FeedPage, FeedPosition, PageLimit } from "./page.js";
import type { FeedTables } from "./schema.js";
import { createTail } from "./tail.js";
import type { FeedTail } from "./tail.js";

export interface FeedReader {
  /** The newest position: take it, read a snapshot of the tables after, then follow the feed from it. */
  head(ctx: Ctx): Promise<FeedHead>;
  /**
   * The entries after a position, as many as the limit lets; an incarnation of "" is not compared.
   * @throws COMPACTED, UNKNOWN_INCARNATION: begin again with a snapshot
   * @cost one indexed statement
   */
  readAfter(ctx: Ctx, position: FeedPosition, limit: PageLimit): Promise<FeedPage>;
  /**
   * As `readAfter`, but only what matches: looks at up to 2,000 entries behind the position.
   * @throws COMPACTED, UNKNOWN_INCARNATION: begin again with a snapshot
   * @cost nothing while the tail has what comes next; else one statement over a range of the index
   */
  readMatching(ctx: Ctx, position: FeedPosition, wanted: FeedSelection, limit: PageLimit): Promise<FeedPage>;
  /**
   * Pages as they come, never an empty one, until the context ends (then it returns).
   * @throws as `readAfter`
   * @cost nothing while the tail has what comes next; else a statement each
   */
  follow(ctx: Ctx, position: FeedPosition, limit: PageLimit): AsyncGenerator<FeedPage, void, void>;
}

/** Whose entries, and of which kinds; "" and an empty list stand for all. */
export interface FeedSelection {
  readonly projectId: string;
  readonly entityKinds: readonly string[];
}

/** Whether an entry is one of those. */
export const isWanted = (
  { projectId, entityKinds }: FeedSelection,
  entry: Pick<FeedEntry, "projectId" | "entityKind">,
): boolean =>
  (projectId === "" || entry.projectId === projectId) &&
  (entityKinds.length === 0 || entityKinds.includes(entry.entityKind));

/** Entries that one statement of `readMatching` looks at. */
const STRETCH = 2_000;

/**
 * @param tail    filled by a sequencer in this process: entries then arrive within milliseconds
 * @param pollMs  how often `follow` looks by itself
 */
export function createFeedReader(
  db: Database<FeedTables>,
  options: { readonly tail?: FeedTail; readonly pollMs: number },
): FeedReader {
  const { tail = createTail(), pollMs } = options;

  const head = (ctx: Ctx): Promise<FeedHead> =>
    db.statement(ctx, "feed.head", async (d) => {
      const state = await d
        .selectFrom("feed_state")
        .select(["incarnation", "head", "compacted"])
        .select((eb) =>
          eb
            .selectFrom("outbox")
            .select((inner) => inner.fn.countAll<number>().as("waiting"))
            .where("revision", "is", null)
            .as("waiting"),
        )
        .where("id", "=", 1)
        .executeTakeFirstOrThrow();
      const { incarnation, head: revision, compacted, waiting } = state;
      return { incarnation, revision, compacted, expected: revision + (waiting ?? 0) };
    });

  const readAfter = (ctx: Ctx, position: FeedPosition, limit: PageLimit): Promise<FeedPage> =>
    readStretch(ctx, position, limit);

  const readMatching = async (
    ctx: Ctx,
    position: FeedPosition,
    wanted: FeedSelection,
    limit: PageLimit,
  ): Promise<FeedPage> => {
    const near = tail.after(position, { rows: STRETCH, bytes: Infinity });
    if (near === undefined) return readStretch(ctx, position, limit, wanted);
    const found = near.entries.filter((entry) => isWanted(wanted, entry));
    const entries = fitting(found, limit);
    const last = entries.length < found.length ? entries.at(-1)?.revision : undefined;
    return { ...near, entries, position: { ...near.position, revision: last ?? near.position.revision } };
  };

  /**
   * Entries are chosen by their lengths before their payloads are read: what does not fit stays in the
   * database.
   * @param wanted  also bounds how far the statement looks
   */
  const readStretch = async (
    ctx: Ctx,
    position: FeedPosition,
    limit: PageLimit,
    wanted?: FeedSelection,
  ): Promise<FeedPage> => {
    const rows = await db.statement(ctx, "feed.read", async (d) => {
      const near = d
        .selectFrom("outbox")
        .selectAll()
        .where((eb) => matching(eb, position, wanted))
        .orderBy("revision")
        .limit(limit.rows);
      const measured = d
        .selectFrom(near.as("near"))
        .selectAll()
        .select([
          sql<number>`sum(octet_length(payload)) OVER (ORDER BY revision)`.as("up_to"),
          sql<number>`count(*) OVER ()`.as("found"),
        ]);
      return d
        .selectFrom("feed_state as s")
        .leftJoin(measured.as("o"), (join) =>
          join.on((eb) =>
            eb.or([
              eb("o.up_to", "<=", limit.bytes),
              eb("o.up_to", "=", sql<number>`octet_length(o.payload)`),
            ]),
          ),
        )
        .select([
          "s.incarnation",
          "s.head",
          "s.compacted",
          "o.found",
          "o.revision",
          "o.entity_kind",
          "o.entity_id",
        ])
        .select(["o.project_id", "o.generation", "o.event_type", "o.payload", "o.created_at"])
        .where("s.id", "=", 1)
        .orderBy("o.revision")
        .execute();
    });
    const state = rows[0];
    if (state === undefined) throw new Error("feed_state has no row");
    check(position, state);
    const entries = rows.flatMap(toEntry);
    // `found` counts those that did not fit, too.
    const cut = entries.length === limit.rows || entries.length < (state.found ?? 0);
    const looked = wanted === undefined || cut ? 0 : Math.min(position.revision + STRETCH, state.head);
    const last = Math.max(looked, entries.at(-1)?.revision ?? position.revision);
    return { entries, head: state.head, position: { incarnation: state.incarnation, revision: last } };
  };

  async function* follow(
    ctx: Ctx,
    from: FeedPosition,
    limit: PageLimit,
  ): AsyncGenerator<FeedPage, void, void> {
    let position = from;
    while (!ctx.signal.aborted) {
      const seen = tail.rings;
      const page = tail.after(position, limit) ?? (await readUnlessEnded(ctx, position, limit));
      if (page === undefined) return;
      position = page.position;
      if (page.entries.length > 0) yield page;
      if (position.revision >= page.head) await tail.wait(seen, pollMs, ctx.signal);
    }
  }

  async function readUnlessEnded(
    ctx: Ctx,
    position: FeedPosition,
    limit: PageLimit,
  ): Promise<FeedPage | undefined> {
    try {
      return await readAfter(ctx, position, limit);
    } catch (error) {
      if (ctx.signal.aborted) return undefined;
      throw error;
    }
  }

  return { head, readAfter, readMatching, follow };
}

function matching(
  eb: ExpressionBuilder<FeedTables, "outbox">,
  { revision }: FeedPosition,
  wanted: FeedSelection | undefined,
): Expression<SqlBool> {
  const behind = eb("revision", ">", revision);
  if (wanted === undefined) return behind;
  const { projectId, entityKinds } = wanted;
  return eb.and([
    behind,
    eb("revision", "<=", revision + STRETCH),
    ...(projectId === "" ? [] : [eb("project_id", "=", projectId)]),
    ...(entityKinds.length === 0 ? [] : [eb("entity_kind", "in", entityKinds)]),
  ]);
}

function check(
  position: FeedPosition,
  state: { readonly incarnation: string; readonly head: number; readonly compacted: number },
): void {
  if (position.incarnation !== "" && position.incarnation !== state.incarnation)
    throw FeedErrors.UNKNOWN_INCARNATION({});
  const { revision } = position;
  // Beyond the head: of a database whose newest part is lost. Never an empty page for ever.
  if (revision < state.compacted || revision > state.head)
    throw FeedErrors.COMPACTED({ revision, compacted: state.compacted, head: state.head });
}

/** A row of the outer join; all columns of the outbox are null where it has nothing. */
interface JoinedRow {
  readonly revision: number | null;
  readonly entity_kind: string | null;
  readonly entity_id: string | null;
  readonly project_id: string | null;
  readonly generation: number | null;
  readonly event_type: string | null;
  readonly payload: Buffer | null;
  readonly created_at: Instant | null;
}

function toEntry(row: JoinedRow): FeedEntry[] {
  if (row.revision === null || row.payload === null) return [];
  return [
    {
      revision: row.revision,
      entityKind: row.entity_kind ?? "",
      entityId: row.entity_id ?? "",
      projectId: row.project_id ?? "",
      generation: row.generation ?? 0,
      eventType: row.event_type ?? "",
      payload: row.payload,
      createdAt: row.created_at ?? 0n,
    },
  ];
}
