import type { Tx } from "./tables.js";

/** One change that watchers, caches and notifications may care about. */
export interface OutboxRow {
  readonly entityKind: "instance" | "operation" | "service" | "compute_node" | "flavor";
  readonly entityId: string;
  readonly projectId: string;
  readonly generation: number;
  readonly eventType: "created" | "changed" | "deleted" | "moved";
  /** The encoded entity as it is after the change. */
  readonly payload: Buffer;
}

/** Appends rows in the transaction of the change itself. */
export interface Outbox { append(tx: Tx, database: string, rows: readonly OutboxRow[]): Promise<void> }
