import type {
  InstanceChange,
  InstancePort,
  InstanceRecord,
} from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { UpdateInstanceRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { ServerAddress } from "../../../../gen/kilonova/type/v1/server.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { fieldsOfUserPath } from "../../../model/user-change.js";
import { vmStateWord } from "../../../model/instance-states.js";
import { mayBecome } from "../../../model/transitions.js";
import { hostIdOf } from "../../../model/host-id.js";
import { toTimestamp } from "../../../model/wire-time.js";
import type { Instant } from "../../../kernel/time.js";
import { CommonErrors } from "../../../kernel/errors.js";
import { CellsErrors } from "../../errors.js";
import { changedMetadata, changedTags } from "./apply-items.js";
import { serverOf } from "./records.js";

/** Paths that an operation may change. */
const OPERATION_PATHS: Readonly<Record<string, keyof Server>> = {
  vm_state: "vmState",
  task_state: "taskState",
  power_state: "powerState",
  host_info: "hostInfo",
  fault: "fault",
  launched_at: "launchedAt",
  terminated_at: "terminatedAt",
  availability_zone: "availabilityZone",
  progress: "progress",
  flavor: "flavor",
  image: "image",
  security_groups: "securityGroups",
  volumes: "volumes",
  lock: "lock",
};

const fieldOfOperationPath = (path: string): readonly (keyof Server)[] | undefined => {
  const field = Object.hasOwn(OPERATION_PATHS, path) ? OPERATION_PATHS[path] : undefined;
  return field && [field];
};

/**
 * The record after a change: next generation, `updated_at` now.
 * @param owner  what `current_operation` becomes
 * @throws ILLEGAL_TRANSITION, INVALID_ARGUMENT for a path that may not be changed: both are bugs of the
 *   caller
 */
export function applyChange(
  record: InstanceRecord,
  change: InstanceChange | undefined,
  owner: string,
  now: Instant,
): InstanceRecord {
  const before = serverOf(record);
  const server: Server = { ...before, currentOperation: owner };
  if (change !== undefined) copyPaths(server, change.server, change.updateMask, fieldOfOperationPath);
  if (change?.dropFault === true) server.fault = undefined;
  if (change?.replacePorts === true) server.addresses = addressesOf(change.ports, before.addresses);
  if (change?.deleteRecord === true) markDeleted(server, now);
  if (!mayBecome(before.vmState, server.vmState))
    throw CellsErrors.ILLEGAL_TRANSITION({
      from: vmStateWord(before.vmState),
      to: vmStateWord(server.vmState),
    });
  finish(server, now);
  return { ...record, server, ports: change?.replacePorts === true ? change.ports : record.ports };
}

/** What a user changes at once. */
export type UserChange = Pick<UpdateInstanceRequest, "server" | "updateMask"> &
  Partial<Pick<UpdateInstanceRequest, "metadata" | "tags">>;

/**
 * The record after a user's change; the record itself when nothing is different.
 * @throws INVALID_ARGUMENT for a path that users may not change; METADATA_ITEM_NOT_FOUND,
 *   TOO_MANY_METADATA_ITEMS, TAG_NOT_FOUND, TOO_MANY_TAGS
 */
export function applyUserChange(
  record: InstanceRecord,
  { server: values, updateMask: mask, metadata, tags }: UserChange,
  now: Instant,
): InstanceRecord {
  const before = serverOf(record);
  const server: Server = { ...before };
  copyPaths(server, values, mask, fieldsOfUserPath);
  if (metadata !== undefined) server.metadata = changedMetadata(before.metadata, metadata);
  if (tags !== undefined) server.tags = changedTags(before.id, before.tags, tags);
  if ((mask ?? []).length === 0 && server.metadata === before.metadata && server.tags === before.tags)
    return record;
  finish(server, now);
  const { spec } = record;
  const pin = server.pinnedAvailabilityZone;
  // Where it may go is what the scheduler reads when it moves.
  return pin === before.pinnedAvailabilityZone || spec === undefined
    ? { ...record, server }
    : { ...record, server, spec: { ...spec, availabilityZone: pin } };
}

function copyPaths(
  target: Server,
  values: Server | undefined,
  mask: readonly string[] | undefined,
  fieldsOf: (path: string) => readonly (keyof Server)[] | undefined,
): void {
  for (const path of mask ?? []) {
    const fields = fieldsOf(path);
    if (fields === undefined || values === undefined)
      throw CommonErrors.INVALID_ARGUMENT({
        field: "update_mask",
        problem: `${path} cannot be changed here`,
      });
    for (const field of fields) Object.assign(target, { [field]: values[field] });
  }
}

function markDeleted(server: Server, now: Instant): void {
  server.vmState = VmState.VM_STATE_DELETED;
  server.taskState = "";
  server.deletedAt = toTimestamp(now);
  server.terminatedAt ??= toTimestamp(now);
}

function finish(server: Server, now: Instant): void {
  server.generation += 1n;
  server.updatedAt = toTimestamp(now);
  server.hostId = hostIdOf(server.projectId, server.hostInfo?.host ?? "");
}

/**
 * Addresses of a server as REST shows them, in order of its ports. What a newer process has noted beside an
 * address stays with it.
 */
const addressesOf = (ports: readonly InstancePort[], before: readonly ServerAddress[]): ServerAddress[] =>
  ports.flatMap((port) =>
    port.addresses.map((address) => ({
      ...before.find((one) => one.portId === port.portId && one.address === address.ipAddress),
      networkLabel: port.networkLabel,
      version: address.version,
      address: address.ipAddress,
      type: "fixed",
      macAddress: port.macAddress,
      portId: port.portId,
      networkId: port.networkId,
      subnetId: address.subnetId,
    })),
  );
