import type { Ids } from "../../../kernel/ids.js";
import type { Instant } from "../../../kernel/time.js";
import { insertInto } from "./fragments.js";
import type { Part } from "./fragments.js";
import type { Tables } from "./tables.js";

/** One change that watchers, caches and notifications may care about. */
export interface OutboxRow {
  readonly entityKind: "instance" | "operation" | "service" | "compute_node" | "flavor" | "aggregate";
  readonly entityId: string;
  readonly projectId: string;
  readonly generation: number;
  readonly eventType: "created" | "changed" | "deleted" | "moved";
  /** The encoded entity as it is after the change. */
  readonly payload: Buffer;
}

/**
 * The outbox's part of a writing statement: the rows that `appendOutbox` of platform/db/feed would add,
 * without a round trip of their own. A microsecond apart, so that several rows of one transaction keep their
 * order.
 */
export const outboxPart = (t: Tables, ids: Ids, rows: readonly OutboxRow[], now: Instant): Part => ({
  name: "outbox",
  body: insertInto(
    t.outbox,
    rows.map((row, index) => ({
      id: ids.uuid(),
      entity_kind: row.entityKind,
      entity_id: row.entityId,
      project_id: row.projectId,
      generation: row.generation,
      event_type: row.eventType,
      payload: row.payload,
      created_at: now + BigInt(index),
    })),
  ),
});
