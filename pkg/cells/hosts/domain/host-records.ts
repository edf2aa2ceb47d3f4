import { ComputeNode, HostService } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type {
  HostTelemetry,
  UpdateHostServiceRequest,
} from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Instant } from "../../../kernel/time.js";
import { toTimestamp } from "../../../model/wire-time.js";
import { encoded } from "../../domain/bytes.js";
import { otherFieldsOf, withOtherFields } from "../../domain/other-fields.js";
import { CellsErrors } from "../../errors.js";
import { computeNodeId } from "./compute-node-id.js";

/** A row of `service`. */
export interface ServiceRow {
  readonly id: string;
  readonly number: number;
  readonly binary: string;
  readonly host: string;
  readonly availability_zone: string;
  readonly disabled: boolean;
  readonly disabled_reason: string;
  readonly forced_down: boolean;
  readonly epoch: number;
  readonly address: string;
  readonly generation: number;
  readonly updated_at: Instant;
  readonly last_seen_at: Instant;
  /** Fields of HostService that have no column. */
  readonly other_fields: Buffer;
}
/** A row of `compute_node`. */
export interface NodeRow {
  readonly id: string;
  readonly number: number;
  readonly host: string;
  readonly generation: number;
  readonly body: Buffer;
}
/** What a host told last; null when it has told nothing yet. */
export interface TelemetryColumns {
  readonly seen_at: Instant | null;
  readonly uptime: string | null;
  readonly disk_free_gib: number | null;
}

/** Without `up`, which only leases can tell. */
export const toHostService = (row: ServiceRow): HostService => ({
  ...withOtherFields(HostService, row.other_fields),
  id: row.id,
  number: BigInt(row.number),
  binary: row.binary,
  host: row.host,
  availabilityZone: row.availability_zone,
  disabled: row.disabled,
  disabledReason: row.disabled_reason,
  forcedDown: row.forced_down,
  epoch: BigInt(row.epoch),
  address: row.address,
  updatedAt: toTimestamp(row.updated_at),
  lastSeenAt: toTimestamp(row.last_seen_at),
  up: false,
});

/** As it was registered, or later when its host has shown itself since. */
export const seenService = (row: ServiceRow & Pick<TelemetryColumns, "seen_at">): HostService =>
  toHostService(
    row.seen_at !== null && row.seen_at > row.last_seen_at ? { ...row, last_seen_at: row.seen_at } : row,
  );

/** A hypervisor as it is recorded: without what is summed up or told anew for each answer. */
export const recorded = (node: ComputeNode): ComputeNode => ({
  ...node,
  uptime: "",
  diskAvailableLeastGib: 0n,
  vcpusUsed: 0,
  memoryMibUsed: 0n,
  diskGibUsed: 0n,
  runningServers: 0,
  currentWorkload: 0,
});

/** An agent of the version before tells it in its node. */
export const telemetryIn = ({ uptime, diskAvailableLeastGib }: ComputeNode): HostTelemetry => ({
  uptime,
  diskFreeGib: diskAvailableLeastGib,
});

/** What a row needs that the database gives: kept for a known one, minted for a new one. */
interface Minted {
  readonly id: string;
  readonly number: number;
  readonly now: Instant;
}

/**
 * A host's service after its agent has registered. A process that says its epoch changes nothing while it
 * says the same; one that has none yet gets the next.
 * @param epoch  0 on the first call of a process
 * @throws STALE_EPOCH when a newer process of the host has registered
 */
export function registeredService(
  before: ServiceRow | undefined,
  said: HostService,
  { epoch, id, number, now }: Minted & { readonly epoch: bigint },
): { readonly row: ServiceRow; readonly same: boolean } {
  if (before !== undefined && epoch !== 0n && BigInt(before.epoch) !== epoch)
    throw CellsErrors.STALE_EPOCH({ host: said.host, epoch: String(before.epoch) });
  const fresh = epoch === 0n;
  const otherFields = otherFieldsOf(HostService, said);
  const same =
    before !== undefined &&
    !fresh &&
    before.address === said.address &&
    before.availability_zone === said.availabilityZone &&
    before.other_fields.equals(otherFields);
  const row: ServiceRow = {
    id,
    number,
    binary: said.binary,
    host: said.host,
    availability_zone: said.availabilityZone,
    disabled: before?.disabled ?? said.disabled,
    disabled_reason: before?.disabled_reason ?? said.disabledReason,
    forced_down: before?.forced_down ?? false,
    epoch: (before?.epoch ?? 0) + (fresh ? 1 : 0),
    address: said.address,
    generation: (before?.generation ?? 0) + (same ? 0 : 1),
    updated_at: same ? before.updated_at : now,
    last_seen_at: same ? before.last_seen_at : now,
    other_fields: otherFields,
  };
  return { row, same };
}

/** The hypervisor of a host that registers, and whether its record is another one than before. */
export function registeredNode(
  before: NodeRow | undefined,
  said: ComputeNode,
  host: string,
  number: number,
): { readonly row: NodeRow; readonly node: ComputeNode; readonly changed: boolean } {
  const id = before?.id ?? computeNodeId(host, said.hypervisorHostname);
  const node: ComputeNode = { ...recorded(said), id, number: BigInt(number), host };
  const body = encoded(ComputeNode, node);
  return {
    row: { id, number, host, generation: (before?.generation ?? 0) + 1, body },
    node,
    changed: before?.body.equals(body) !== true,
  };
}

/** A service that is no agent, after it has announced itself: each time a new epoch. */
export const announcedService = (
  before: ServiceRow | undefined,
  said: HostService,
  { id, number, now }: Minted,
): ServiceRow => ({
  id,
  number,
  binary: said.binary,
  host: said.host,
  availability_zone: said.availabilityZone,
  disabled: before?.disabled ?? false,
  disabled_reason: before?.disabled_reason ?? "",
  forced_down: before?.forced_down ?? false,
  epoch: (before?.epoch ?? 0) + 1,
  address: said.address,
  generation: (before?.generation ?? 0) + 1,
  updated_at: now,
  last_seen_at: now,
  other_fields: otherFieldsOf(HostService, said),
});

/** A service after an operator's change; the reason goes with the disabling. */
export function changedService(
  before: ServiceRow,
  change: UpdateHostServiceRequest,
  now: Instant,
): ServiceRow {
  const disabled = change.disabled ?? before.disabled;
  return {
    ...before,
    disabled,
    disabled_reason: disabled ? (change.disabledReason ?? before.disabled_reason) : "",
    forced_down: change.forcedDown ?? before.forced_down,
    generation: before.generation + 1,
    updated_at: now,
  };
}

/** What the instances of a host take together. */
export interface UseRow {
  readonly host: string;
  readonly vcpus: number;
  readonly memory: number;
  readonly disk: number;
  readonly servers: number;
  readonly busy: number;
}

/** A hypervisor with what its instances and its reserve take. */
export const withUse = (node: ComputeNode, use: UseRow | undefined): ComputeNode => ({
  ...node,
  vcpusUsed: use?.vcpus ?? 0,
  memoryMibUsed: BigInt((use?.memory ?? 0) + node.reservedMemoryMib),
  diskGibUsed: BigInt((use?.disk ?? 0) + node.reservedDiskGib),
  runningServers: use?.servers ?? 0,
  currentWorkload: use?.busy ?? 0,
});
