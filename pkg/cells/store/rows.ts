import type { Instant } from "../../kernel/time.js";
import type { Protocol } from "../operations/domain/hand-over.js";

export type { InstanceRow, JoinedRow, OperationRow } from "../operations/domain/rows.js";

/** A row of `dormant_operation`. */
export interface DormantRow {
  readonly operation_id: string;
  readonly server_id: string;
  readonly source_database: string;
  readonly source_fence: number;
  readonly operation: Buffer;
  readonly secrets: Buffer | null;
  readonly instance: Buffer;
  readonly user_data: Buffer | null;
  readonly activated: boolean;
  readonly created_at: Instant;
  readonly protocol: Protocol;
}

/** A row of `kept_server`: a record that is hidden while its server is in another cell. */
export interface KeptRow {
  readonly server_id: string;
  /** The one that moved it. */
  readonly operation_id: string;
  readonly number: number;
  readonly server: Buffer;
  readonly details: Buffer;
  readonly user_data: Buffer | null;
}
