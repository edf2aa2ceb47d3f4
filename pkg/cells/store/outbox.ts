import type { Ids } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/time.js";
import { outboxRows } from "../../platform/db/feed/index.js";
import type { FeedEvent } from "../../platform/db/feed/index.js";
import { inserting } from "./fragments.js";
import type { ConditionalPart } from "./fragments.js";
import { sql } from "./sql.js";
import type { Tables } from "./tables.js";

/** One change that watchers, caches and notifications may care about. */
export interface OutboxRow extends FeedEvent {
  readonly entityKind: "instance" | "operation" | "service" | "compute_node" | "flavor" | "aggregate";
  readonly eventType: "created" | "changed" | "deleted" | "moved";
}

/** The outbox's part of a writing statement; `payload` is the encoded entity as it is after the change. */
export const outboxPart = (t: Tables, ids: Ids, rows: readonly OutboxRow[], now: Instant): ConditionalPart =>
  inserting(
    "outbox",
    t.outbox,
    outboxRows(rows, ids, now).map(({ id, ...row }) => ({ id: sql`${id}::uuid`, ...row })),
  );
