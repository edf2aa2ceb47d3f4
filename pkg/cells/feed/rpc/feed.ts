import type {
  FeedEntry,
  FeedServiceDefinition,
  WatchFeedResponse,
} from "../../../../gen/kilonova/cells/v1/feed_service.js";
import type { FeedReader, PageLimit, FeedEntry as StoredEntry } from "../../../platform/db/feed/index.js";
import { FEED_PAGE, isWanted } from "../../../platform/db/feed/index.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { bufferOf } from "../../domain/bytes.js";

/** What one answer of ReadFeed holds; a watch has pages of the feed's own size. */
const STRETCH: PageLimit = { ...FEED_PAGE, bytes: 64 << 10 };

const toEntry = (entry: StoredEntry): FeedEntry => ({
  revision: BigInt(entry.revision),
  entityKind: entry.entityKind,
  entityId: entry.entityId,
  projectId: entry.projectId,
  generation: BigInt(entry.generation),
  eventType: entry.eventType,
  payload: bufferOf(entry.payload),
  at: toTimestamp(entry.createdAt),
});

/**
 * Serves the numbered feeds. The first answer carries no entries: it tells that the watch stands, and from
 * where.
 * @param readerOf  @throws UNKNOWN_DATABASE
 */
export function feedHandlers(readerOf: (database: string) => FeedReader): Handlers<FeedServiceDefinition> {
  return {
    watchFeed: async function* (ctx, request): AsyncGenerator<WatchFeedResponse> {
      const reader = readerOf(request.database);
      const { incarnation } = await reader.head(ctx);
      yield { entries: [], revision: request.afterRevision, incarnation };
      const from = { incarnation: request.incarnation, revision: Number(request.afterRevision) };
      for await (const { entries, position } of reader.follow(ctx, from, FEED_PAGE)) {
        yield {
          entries: entries.filter((entry) => isWanted(request, entry)).map(toEntry),
          revision: BigInt(position.revision),
          incarnation: position.incarnation,
        };
      }
    },
    readFeed: async (ctx, request) => {
      const from = { incarnation: request.incarnation, revision: Number(request.afterRevision) };
      const { entries, position } = await readerOf(request.database).readMatching(
        ctx,
        from,
        request,
        STRETCH,
      );
      return {
        entries: entries.map(toEntry),
        revision: BigInt(position.revision),
        incarnation: position.incarnation,
      };
    },
    getFeedHead: async (ctx, { database }) => {
      const { incarnation, revision, compacted, expected } = await readerOf(database).head(ctx);
      return {
        incarnation,
        revision: BigInt(revision),
        compactedRevision: BigInt(compacted),
        expectedRevision: BigInt(expected),
      };
    },
  };
}
