import type {
  KeptRecord,
  InstanceChange,
  InstanceRecord,
} from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { HandoverProtocol } from "../../../../gen/kilonova/cells/v1/operations_service.js";
import type { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { CommonErrors } from "../../../kernel/errors.js";
import type { Instant } from "../../../kernel/time.js";
import { CELL0, GLOBAL } from "../../../model/database-names.js";
import { guestName } from "../../../model/guest-name.js";
import { applyChange } from "../../servers/domain/apply-change.js";
import { serverOf } from "../../servers/domain/records.js";

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
}

/** What happens to a record while it is copied. */
export interface Copying {
  readonly change: InstanceChange | undefined;
  /** Name of the operation that goes with it. */
  readonly operation: string;
  readonly now: Instant;
}

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
  return settled({ ...onHost(record, inPlace(record, NOWHERE)), kept }, place, copying);
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
    { ...onHost(record, inPlace(record, serverOf(kept).hostInfo ?? NOWHERE)), kept: undefined },
    { database, number: kept.number },
    copying,
  );

const NOWHERE: ServerHostInfo = {};

/** What is known of a server's place, but where it is: that is `there`. */
const inPlace = (
  record: InstanceRecord,
  { host, node, computeNodeUuid }: ServerHostInfo,
): ServerHostInfo => ({
  ...(serverOf(record).hostInfo ?? NOWHERE),
  host,
  node,
  computeNodeUuid,
});

const onHost = (record: InstanceRecord, hostInfo: ServerHostInfo): InstanceRecord => ({
  ...record,
  server: { ...serverOf(record), hostInfo },
});

/** The change applied; the cell and the guest's name are the place's, whatever the change says. */
function settled(
  record: InstanceRecord,
  { database, number }: Place,
  { change, operation, now }: Copying,
): InstanceRecord {
  const changed = applyChange(record, change, operation, now);
  const server = serverOf(changed);
  return {
    ...onHost(changed, {
      ...(server.hostInfo ?? NOWHERE),
      cell: database,
      instanceName: guestName(number),
    }),
    number,
  };
}
