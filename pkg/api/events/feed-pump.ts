import type {
  FeedServiceDefinition,
  WatchFeedResponse,
} from "../../../gen/kilonova/cells/v1/feed_service.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { Position } from "./resume-token.js";

/** What happened on one database's feed. */
export type Happening =
  | { readonly type: "batch"; readonly database: string; readonly batch: WatchFeedResponse }
  /** It does not answer; told once, then it is tried again. */
  | { readonly type: "silent"; readonly database: string }
  /** The position is too old or of another life of the database. */
  | { readonly type: "lost"; readonly database: string };

/** What to read. */
export interface FeedQuery {
  readonly entityKinds: readonly string[];
  readonly projectId: string;
}

const RETRY_MS = 1_000;

/**
 * Reads one database's feed for ever, over breaks of the connection. Ends after `lost`, or when the context
 * aborts.
 */
export async function* pumpFeed(
  ctx: Ctx,
  feed: Client<FeedServiceDefinition>,
  clock: Clock,
  database: string,
  from: Position,
  query: FeedQuery,
): AsyncGenerator<Happening, void> {
  let { incarnation, revision } = from;
  let told = false;
  while (!ctx.signal.aborted) {
    try {
      for await (const batch of feed.watchFeed(ctx, {
        database,
        incarnation,
        afterRevision: revision,
        entityKinds: [...query.entityKinds],
        projectId: query.projectId,
      })) {
        if (incarnation !== "" && batch.incarnation !== incarnation) {
          yield { type: "lost", database };
          return;
        }
        ({ incarnation, revision } = batch);
        told = false;
        yield { type: "batch", database, batch };
      }
    } catch (error) {
      if (ctx.signal.aborted) return;
      if (isLost(error)) {
        yield { type: "lost", database };
        return;
      }
      ctx.log.warn("api.watch.feed-broken", { database, error });
      if (!told) yield { type: "silent", database };
      told = true;
    }
    await clock.sleep(RETRY_MS, ctx.signal).catch(() => undefined); // aborted: the loop's condition ends it
  }
}

/**
 * Waits for a database that did not answer when its head was wanted. @param ask asks for it again. @returns
 * once: `lost`, as soon as it answers
 */
export async function* awaitFeed(
  ctx: Ctx,
  clock: Clock,
  database: string,
  ask: () => Promise<unknown>,
): AsyncGenerator<Happening, void> {
  while (!ctx.signal.aborted) {
    try {
      await ask();
      yield { type: "lost", database };
      return;
    } catch {
      // still silent: that was told already
    }
    await clock.sleep(RETRY_MS, ctx.signal).catch(() => undefined); // aborted: the loop's condition ends it
  }
}

/** Whether the feed says that it cannot continue from there, as opposed to saying nothing. */
const isLost = (error: unknown): boolean =>
  error instanceof KilonovaError &&
  (error.reason === "FEED_COMPACTED" || error.kind === "invalid" || error.kind === "refused");
