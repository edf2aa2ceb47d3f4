import type {
  KeptRecord,
  InstanceChange,
  InstanceRecord,
} from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { HandoverProtocol } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import { ServerRecords } from "../../../../gen/kilonova/cells/v1/server_records.js";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { CELL0, GLOBAL } from "../../../model/database-names.js";
import { guestName } from "../../../model/guest-name.js";
import { hostIdOf } from "../../../model/host-id.js";
import { planChange } from "../../servers/domain/plan-change.js";
import type { Changing, KnownRows, ServerRows } from "../../servers/domain/plan-change.js";
import { serverOf } from "../../servers/domain/records.js";
import { LIFE } from "./lanes.js";

/** How a server goes from one database to another; also what the dormant copy's row says. */
export type Protocol = "new-server" | "move" | "return";

/**
 * The protocol that a request names, when it fits the two databases.
 * @throws INVALID_ARGUMENT
 */
export function protocolOf(word: HandoverProtocol, source: string, target: string): Protocol {
  const protocol = protocolWord(word);
  const fits =
    protocol === "new-server" ? source === GLOBAL : isHome(source) && isHome(target) && source !== target;
  if (!fits)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "protocol",
      problem: `${protocol} does not go from ${source} to ${target}`,
    });
  return protocol;
}

/**
 * Only an operation that has the server takes it along.
 * @param lane  "" from an older process, which knows "life" only
 * @throws INVALID_ARGUMENT
 */
export function requireLife(lane: string): void {
  if (lane !== "" && lane !== LIFE)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "operation.lane",
      problem: `a server does not go with an operation of the lane ${lane}`,
    });
}

/** Whether hosts can be there. */
const isHome = (database: string): boolean => database !== GLOBAL && database !== CELL0;

function protocolWord(word: HandoverProtocol): Protocol {
  switch (word) {
    case HandoverProtocol.HANDOVER_PROTOCOL_UNSPECIFIED:
    case HandoverProtocol.HANDOVER_PROTOCOL_NEW_SERVER:
      return "new-server";
    case HandoverProtocol.HANDOVER_PROTOCOL_MOVE:
      return "move";
    case HandoverProtocol.HANDOVER_PROTOCOL_RETURN:
      return "return";
    default:
      return unknownProtocol(word);
  }
}

/** A number that a newer process may have sent. */
function unknownProtocol(word: never): never {
  throw CommonErrors.INVALID_ARGUMENT({ field: "protocol", problem: `${String(word)} is not known here` });
}

/** The fence of an operation that wakes: above its source's, so that effects made there can be refused. */
export const wakingFence = (sourceFence: number): number => sourceFence + 1;

/** What is known about a copy's way here. */
export interface Way {
  readonly target: string;
  /** Fence of the copy. */
  readonly fence: number;
  /** What the global database says of the server; `fence` 0: an older process wrote it. */
  readonly mapping: { readonly database: string; readonly fence: number } | undefined;
}

/**
 * Whether a new server's copy may wake that somebody found: the mapping was pointed here under the copy's own
 * fence. One that was made late, when the server had gone elsewhere, may not.
 */
export const mayWake = ({ target, fence, mapping }: Way): boolean =>
  mapping?.database === target && (mapping.fence === fence || mapping.fence === 0);

/** Where a copy is made, and the number that names its guest there. */
export interface Place {
  readonly database: string;
  readonly number: bigint;
  /** On which host it is there, if its change does not say; undefined for where it was. */
  readonly hostInfo?: ServerHostInfo;
}

/** What happens to a record while it is copied, by the operation that goes with it. */
export interface Copying extends Omit<Changing, "owner"> {
  readonly change: InstanceChange | undefined;
  /** Rows by which the change is decided. */
  readonly known: KnownRows;
}

/** The rows that a record brings along, as far as changes look at them. */
export const knownIn = ({ records }: InstanceRecord): KnownRows => ({
  devices: (records?.blockDevices ?? []).filter(({ deletedAt }) => deletedAt === undefined),
  migrations: records?.migrations ?? [],
});

/** A new server's record in its first cell. */
export const newServersCopy = (record: InstanceRecord, place: Place, copying: Copying): InstanceRecord =>
  settled(record, place, copying);

/**
 * A moving server's record in its next cell: on no host there until an operation says so, and knowing where
 * the other record is kept.
 */
export function movedCopy(
  record: InstanceRecord,
  place: Place,
  copying: Copying,
  source: string,
): InstanceRecord {
  const kept: KeptRecord = { database: source, operation: copying.operation };
  return {
    ...settled({ ...record, records: undefined }, { ...place, hostInfo: NOWHERE }, copying),
    kept,
  };
}

/**
 * A returning server's record in the cell that keeps one: what the server is comes with it, and where it is
 * (host, and the number that names its guest) is what was kept.
 */
export const returnedCopy = (
  record: InstanceRecord,
  kept: InstanceRecord,
  copying: Copying,
  database: string,
): InstanceRecord =>
  settled(
    { ...record, kept: undefined, records: undefined },
    { database, number: kept.number, hostInfo: serverOf(kept).hostInfo ?? NOWHERE },
    copying,
  );

const NOWHERE = ServerHostInfo.fromPartial({});

/**
 * The change applied where the server was, the rows that it writes among `records`; then the server is where
 * its place is. The cell and the guest's name are the place's, whatever the change says.
 * @throws INVALID_ARGUMENT for a change that ends the server; what `planChange` throws
 */
function settled(
  record: InstanceRecord,
  { database, number, hostInfo }: Place,
  { change, known, ...changing }: Copying,
): InstanceRecord {
  if (change?.deleteRecord === true)
    throw CommonErrors.INVALID_ARGUMENT({
      field: "change.delete_record",
      problem: "a server that is handed over does not end",
    });
  const changed = planChange(record, change, known, { ...changing, owner: changing.operation });
  const server = serverOf(changed.record);
  const placed = change?.updateMask?.includes("host_info") === true ? undefined : hostInfo;
  const { host, ...more } = placed ?? server.hostInfo ?? NOWHERE;
  return {
    ...changed.record,
    server: {
      ...server,
      hostId: hostIdOf(server.projectId, host),
      hostInfo: { ...more, host, cell: database, instanceName: guestName(number) },
    },
    number,
    records: withRows(record.records, changed.rows),
  };
}

/** Rows that come with a record, those that a change wrote in place of what they were. */
function withRows(
  before: ServerRecords | undefined,
  { devices, migrations }: ServerRows,
): ServerRecords | undefined {
  if (devices.length === 0 && migrations.length === 0) return before;
  return {
    ...(before ?? ServerRecords.fromPartial({})),
    blockDevices: replaced(before?.blockDevices ?? [], devices),
    migrations: replaced(before?.migrations ?? [], migrations),
  };
}

function replaced<R extends { readonly id: string }>(before: readonly R[], written: readonly R[]): R[] {
  const rows = new Map(before.map((row) => [row.id, row]));
  for (const row of written) rows.set(row.id, row);
  return [...rows.values()];
}
