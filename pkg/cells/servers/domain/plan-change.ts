import type { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { BlockDeviceRecord, MigrationRecord } from "../../../../gen/kilonova/cells/v1/server_records.js";
import type { Instant } from "../../../kernel/time.js";
import { applyChange } from "./apply-change.js";
import { changedDevices, volumesOf } from "./block-devices.js";
import { changedMigrations } from "./migrations.js";
import { serverOf } from "./records.js";

/** Rows that belong to a server and are not in its record. */
export interface ServerRows {
  readonly devices: readonly BlockDeviceRecord[];
  readonly migrations: readonly MigrationRecord[];
}

export const NO_ROWS: ServerRows = { devices: [], migrations: [] };

/** Rows by which a change is decided. */
export interface KnownRows extends ServerRows {
  /**
   * Whether the devices are not stored yet: an older build has made the server. The first change of one
   * stores all.
   */
  readonly unwritten?: boolean;
}

/** Whether a change is decided by more than the server's record. */
export const touchesRows = (change: InstanceChange | undefined): change is InstanceChange =>
  change !== undefined && (change.blockDevices.length > 0 || change.migrations.length > 0);

/** Who changes a server, and when. */
export interface Changing {
  /** What `current_operation` becomes. */
  readonly owner: string;
  /** The operation that makes the change: its name and uuid, and who asked for it. */
  readonly operation: string;
  readonly operationId: string;
  readonly userId: string;
  readonly now: Instant;
  readonly newId: () => string;
  /** Numbers for new migrations. */
  readonly numbers: readonly bigint[];
}

/** A server after a change. */
export interface ChangedServer {
  readonly record: InstanceRecord;
  /** Rows to be stored. */
  readonly rows: ServerRows;
}

/**
 * Everything that a change makes of a server: its record, and the rows that it writes.
 * @param known  all present devices, and the migrations that the change speaks of; nothing when it touches no
 *   rows
 * @throws what `applyChange`, `changedDevices` and `changedMigrations` throw
 */
export function planChange(
  record: InstanceRecord,
  change: InstanceChange | undefined,
  known: KnownRows,
  changing: Changing,
): ChangedServer {
  const { owner, now, newId } = changing;
  if (!touchesRows(change)) return { record: applyChange(record, change, owner, now), rows: NO_ROWS };
  const server = serverOf(record);
  const devices =
    change.blockDevices.length === 0
      ? undefined
      : changedDevices(known.devices, change.blockDevices, { serverId: server.id, now, newId });
  return {
    record: applyChange(record, change, owner, now, devices && volumesOf(devices.present)),
    rows: {
      devices: (known.unwritten === true ? devices?.present : devices?.written) ?? [],
      migrations: changedMigrations(known.migrations, change.migrations, { server, ...changing }),
    },
  };
}
