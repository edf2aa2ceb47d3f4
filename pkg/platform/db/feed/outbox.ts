import type { Kysely, Transaction } from "kysely";
import type { Ids } from "../../../kernel/ids.js";
import type { Clock } from "../../../kernel/time.js";
import { systemClock } from "../../process/clock.js";
import { systemIds } from "../../process/ids.js";
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
 * Adds changes to the feed within the transaction that makes them: both happen or neither. They are numbered
 * soon after the commit; wake the sequencer with its `nudge()` then (`nudging(db, …)` does).
 */
export async function appendOutbox<S extends FeedTables>(
  tx: Transaction<S>,
  events: readonly FeedEvent[],
  { ids = systemIds, clock = systemClock }: { readonly ids?: Ids; readonly clock?: Clock } = {},
): Promise<void> {
  if (events.length === 0) return;
  const now = clock.now();
  // Kysely cannot see through `S extends FeedTables`; the bound above is the proof.
  const db = tx as unknown as Kysely<FeedTables>;
  await db
    .insertInto("outbox")
    .values(
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
      })),
    )
    .execute();
}
