import type {
  InstanceChange,
  InstancePort,
  InstanceRecord,
} from "../../../../gen/kilonova/cells/v1/instance_change.js";
import type { UpdateInstanceRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../../gen/kilonova/cells/v1/server.js";
import type { AttachedVolume, ServerAddress } from "../../../../gen/kilonova/type/v1/server.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { ServerSpec } from "../../../../gen/kilonova/type/v1/server_spec.js";
import { fieldsOfUserPath } from "../../../model/user-change.js";
import { vmStateWord } from "../../../model/instance-states.js";
import { mayBecome } from "../../../model/transitions.js";
import { hostIdOf } from "../../../model/host-id.js";
import { toTimestamp } from "../../../model/wire-time.js";
import type { Instant } from "../../../kernel/time.js";
import { copyPaths, fieldsIn, pathsOf } from "../../domain/masks.js";
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
  metadata: "metadata",
  key_name: "keyName",
  config_drive: "configDrive",
  trusted_image_certificates: "trustedImageCertificates",
  security_groups: "securityGroups",
  lock: "lock",
  shelving: "shelving",
};

/** Fields of a path: what operations alone may change, and what users may change too. */
const fieldsOfPath = (path: string): readonly (keyof Server)[] | undefined => {
  const field = Object.hasOwn(OPERATION_PATHS, path) ? OPERATION_PATHS[path] : undefined;
  return field === undefined ? fieldsOfUserPath(path) : [field];
};

const SPEC_PATHS = pathsOf(ServerSpec.fromPartial({}));

/**
 * The record after a change: next generation, `updated_at` now. User data is not part of it (it is encrypted
 * where it is stored), nor are the rows that `changedDevices` and `changedMigrations` speak of.
 * @param owner    what `current_operation` becomes
 * @param volumes  what the server has after the change; undefined when it changes no block device
 * @throws ILLEGAL_TRANSITION, INVALID_ARGUMENT for a path that may not be changed: both are bugs of the
 *   caller
 */
export function applyChange(
  record: InstanceRecord,
  change: InstanceChange | undefined,
  owner: string,
  now: Instant,
  volumes?: readonly AttachedVolume[],
): InstanceRecord {
  const before = serverOf(record);
  const server: Server = { ...before, currentOperation: owner };
  if (volumes !== undefined) server.volumes = [...volumes];
  if (change !== undefined) copyPaths(server, change.server, change.updateMask, fieldsOfPath);
  if (change?.dropFault === true) server.fault = undefined;
  const ports = changedPorts(record.ports, change);
  if (ports !== record.ports) server.addresses = addressesOf(ports, before.addresses);
  if (change?.deleteRecord === true) markDeleted(server, now);
  if (!mayBecome(before.vmState, server.vmState))
    throw CellsErrors.ILLEGAL_TRANSITION({
      from: vmStateWord(before.vmState),
      to: vmStateWord(server.vmState),
    });
  server.softDeletedAt =
    server.vmState === VmState.VM_STATE_SOFT_DELETED ? (before.softDeletedAt ?? toTimestamp(now)) : undefined;
  server.resizedAt =
    server.vmState === VmState.VM_STATE_RESIZED ? (before.resizedAt ?? toTimestamp(now)) : undefined;
  if (server.vmState === VmState.VM_STATE_SHELVED && before.vmState !== VmState.VM_STATE_SHELVED)
    server.shelving = { imageId: "", ...server.shelving, shelvedAt: toTimestamp(now) };
  finish(server, now);
  return {
    ...record,
    server,
    spec: changedSpec(record.spec, change),
    ports,
    hostResources: change?.replaceHostResources === true ? change.hostResources : record.hostResources,
    ...(change?.dropKept === true ? { kept: undefined } : {}),
  };
}

/** New ones come last; the list itself when nothing is said of ports. */
function changedPorts(before: InstancePort[], change: InstanceChange | undefined): InstancePort[] {
  if (change === undefined) return before;
  const { replacePorts, ports, putPorts, removePorts } = change;
  if (replacePorts) return ports;
  if (putPorts.length === 0 && removePorts.length === 0) return before;
  const put = new Map(putPorts.map((port) => [port.portId, port]));
  const kept = before
    .filter(({ portId }) => !removePorts.includes(portId))
    .map((port) => ({ ...port, ...put.get(port.portId) }));
  const known = new Set(kept.map(({ portId }) => portId));
  return [...kept, ...putPorts.filter(({ portId }) => !known.has(portId))];
}

function changedSpec(
  before: ServerSpec | undefined,
  change: InstanceChange | undefined,
): ServerSpec | undefined {
  if ((change?.specMask ?? []).length === 0) return before;
  const spec = ServerSpec.fromPartial(before ?? {});
  copyPaths(spec, change?.spec, change?.specMask, fieldsIn(SPEC_PATHS), "spec_mask");
  return spec;
}

/** What a user changes at once. */
export type UserChange = Pick<UpdateInstanceRequest, "server" | "updateMask"> &
  Partial<Pick<UpdateInstanceRequest, "metadata" | "tags">>;

/**
 * The record after a user's change; the record itself when nothing is different.
 * @param volumes  what the server has after the change; undefined when none is different
 * @throws INVALID_ARGUMENT for a path that users may not change; METADATA_ITEM_NOT_FOUND,
 *   TOO_MANY_METADATA_ITEMS, TAG_NOT_FOUND, TOO_MANY_TAGS
 */
export function applyUserChange(
  record: InstanceRecord,
  { server: values, updateMask: mask, metadata, tags }: UserChange,
  now: Instant,
  volumes?: readonly AttachedVolume[],
): InstanceRecord {
  const before = serverOf(record);
  const server: Server = { ...before };
  if (volumes !== undefined) server.volumes = [...volumes];
  copyPaths(server, values, mask, fieldsOfUserPath);
  if (metadata !== undefined) server.metadata = changedMetadata(before.metadata, metadata);
  if (tags !== undefined) server.tags = changedTags(before.id, before.tags, tags);
  const same = volumes === undefined && server.metadata === before.metadata && server.tags === before.tags;
  if ((mask ?? []).length === 0 && same) return record;
  finish(server, now);
  const { spec } = record;
  const pin = server.pinnedAvailabilityZone;
  // Where it may go is what the scheduler reads when it moves.
  return pin === before.pinnedAvailabilityZone || spec === undefined
    ? { ...record, server }
    : { ...record, server, spec: { ...spec, availabilityZone: pin } };
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
 * Addresses of a server as REST shows them, in order of its ports; floating IPs come after the address to
 * which they lead. What a newer process has noted beside an address stays with it.
 */
const addressesOf = (ports: readonly InstancePort[], before: readonly ServerAddress[]): ServerAddress[] =>
  ports.flatMap((port) =>
    port.addresses.flatMap(({ ipAddress, version, subnetId, floatingIps }) => {
      const there = { ...placeOf(port), subnetId };
      return [
        { ...known(before, port, ipAddress), ...there, version, address: ipAddress, type: "fixed" },
        ...floatingIps.map((address) => ({
          ...known(before, port, address),
          ...there,
          version: address.includes(":") ? 6 : 4,
          address,
          type: "floating",
        })),
      ];
    }),
  );

const known = (
  before: readonly ServerAddress[],
  { portId }: InstancePort,
  address: string,
): ServerAddress | undefined => before.find((one) => one.portId === portId && one.address === address);

const placeOf = ({ networkLabel, macAddress, portId, networkId }: InstancePort) => ({
  networkLabel,
  macAddress,
  portId,
  networkId,
});
