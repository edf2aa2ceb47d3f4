import type {
  FeedEntry,
  FeedServiceDefinition,
  WatchFeedResponse,
} from "../../../../gen/kilonova/cells/v1/feed_service.js";
import type { FeedEntry as StoredEntry, FeedReader } from "../../../platform/db/feed/index.js";
import type { Handlers } from "../../../platform/rpc/index.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { bufferOf } from "../../domain/bytes.js";

const PAGE = 500;

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
      const wanted = (entry: StoredEntry): boolean =>
        (request.entityKinds.length === 0 || request.entityKinds.includes(entry.entityKind)) &&
        (request.projectId === "" || entry.projectId === request.projectId);
      yield { entries: [], revision: request.afterRevision, incarnation };
      const from = { incarnation: request.incarnation, revision: Number(request.afterRevision) };
      for await (const { entries, position } of reader.follow(ctx, from, PAGE)) {
        yield {
          entries: entries.filter(wanted).map(toEntry),
          revision: BigInt(position.revision),
          incarnation: position.incarnation,
        };
      }
    },
    getFeedHead: async (ctx, { database }) => {
      const { incarnation, revision, compacted } = await readerOf(database).head(ctx);
      return { incarnation, revision: BigInt(revision), compactedRevision: BigInt(compacted) };
    },
  };
}
