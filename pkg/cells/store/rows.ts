import type { Instant } from "../../kernel/time.js";
import type { SubjectKind } from "../../model/operation-name.js";
import type { Protocol } from "../operations/domain/hand-over.js";

/** A row of `operation`. */
export interface OperationRow {
  readonly id: string;
  /** What it is about: "server", "host" or "cloud". */
  readonly subject: SubjectKind;
  /** Id of its subject, also when that is no server. */
  readonly server_id: string;
  /** "" when its subject is no server. */
  readonly project_id: string;
  readonly kind: string;
  readonly kind_version: number;
  readonly action: string;
  readonly request_id: string;
  readonly actor: Buffer;
  readonly traceparent: string;
  readonly input: Buffer;
  readonly secrets: Buffer | null;
  readonly state: string;
  readonly current_step: string;
  readonly undo_until: string;
  readonly steps: Buffer;
  readonly generation: number;
  readonly fence: number;
  readonly owner: string;
  readonly ready_at: Instant | null;
  readonly deadline: Instant | null;
  readonly waiting_for: string;
  readonly cancel_requested: boolean;
  readonly error: Buffer | null;
  readonly preempts: string;
  readonly preempted: Buffer | null;
  readonly handed_over_to: string;
  /** Fields of StoredOperation that have no column. */
  readonly other_fields: Buffer;
  readonly lane: string;
  /** Place in its lane's queue; 0: its turn has come. */
  readonly turn: number;
  /** Encoded OperationProgress of the running step. */
  readonly progress: Buffer | null;
  readonly created_at: Instant;
  readonly updated_at: Instant;
}

/**
 * What operations need of a row of `instance`. Of subjects that are no servers there is only the fence; the
 * rest is empty.
 */
export interface InstanceRow {
  readonly generation: number;
  readonly current_operation: string;
  readonly operation_fence: number;
  readonly leaving_to: string;
  readonly number: number;
  readonly server: Buffer;
  readonly details: Buffer;
  readonly user_data: Buffer | null;
}

/** A row that joins an operation with the instance it concerns. */
export type JoinedRow = OperationRow & { readonly [K in keyof InstanceRow as `i_${K}`]: InstanceRow[K] };

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
