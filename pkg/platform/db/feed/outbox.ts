import type { Insertable } from "kysely";
import type { Ids } from "../../../kernel/ids.js";
import type { Instant } from "../../../kernel/time.js";
import type { FeedTables } from "./schema.js";

/** One change that somebody may care about. */
export interface FeedEvent {
  readonly entityKind: string;
  readonly entityId: string;
  /** Whose it is; "" for what belongs to no project. */
  readonly projectId: string;
  /** The entity's generation after the change; readers drop what is older than what they have. */
  readonly generation: number;
  readonly eventType: string;
  /** A protobuf message; what it is follows from kind and type. */
  readonly payload: Uint8Array;
}

/**
 * Rows of `outbox` that add changes to the feed, for the transaction that makes the changes: both happen or
 * neither. They are numbered soon after the commit; wake the sequencer with its `nudge()` then (`nudging(db,
 * …)` does).
 */
export const outboxRows = (
  events: readonly FeedEvent[],
  ids: Ids,
  now: Instant,
): readonly Insertable<FeedTables["outbox"]>[] =>
  events.map((event, index) => ({
    id: ids.uuid(),
    entity_kind: event.entityKind,
    entity_id: event.entityId,
    project_id: event.projectId,
    generation: event.generation,
    event_type: event.eventType,
    payload: Buffer.from(event.payload.buffer, event.payload.byteOffset, event.payload.byteLength),
    // A microsecond apart: several events of one transaction keep their order.
    created_at: now + BigInt(index),
  }));
