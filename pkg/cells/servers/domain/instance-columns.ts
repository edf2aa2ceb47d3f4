import type { InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { VmState } from "../../../../gen/kilonova/type/v1/server.js";
import { powerStateNumber, vmStateWord } from "../../../model/instance-states.js";
import { fromTimestampOrNull } from "../../../model/wire-time.js";
import { serverOf, storeRecord } from "./records.js";
import type { StoredRecord } from "./records.js";

/** Column values by name; the record itself among them. */
export type InstanceColumns = Readonly<Record<string, unknown>> & StoredRecord;

const orNull = (text: string | undefined): string | null => (text === undefined || text === "" ? null : text);

/**
 * The columns made from a record: what lists filter and sort by, and the record itself. Absent values are
 * null where Nova shows null, because that decides their place in a sort.
 */
export function instanceColumns(record: InstanceRecord): InstanceColumns {
  const server = serverOf(record);
  const { flavor, hostInfo, addresses } = server;
  const stored = storeRecord(record);
  // Lists are narrowed by fixed addresses alone, as in Nova.
  const ips = (version: number): string[] =>
    addresses.filter((one) => one.version === version && one.type !== "floating").map((one) => one.address);
  return {
    generation: Number(server.generation),
    current_operation: server.currentOperation,
    name: server.name,
    hostname: server.hostname,
    description: server.hasDescription ? server.description : null,
    vm_state: vmStateWord(server.vmState),
    task_state: orNull(server.taskState),
    power_state: powerStateNumber(server.powerState),
    updated_at: fromTimestampOrNull(server.updatedAt),
    launched_at: fromTimestampOrNull(server.launchedAt),
    terminated_at: fromTimestampOrNull(server.terminatedAt),
    deleted_at: fromTimestampOrNull(server.deletedAt),
    soft_deleted_at: fromTimestampOrNull(server.softDeletedAt),
    shelved_at:
      server.vmState === VmState.VM_STATE_SHELVED ? fromTimestampOrNull(server.shelving?.shelvedAt) : null,
    resized_at: fromTimestampOrNull(server.resizedAt),
    image_id: orNull(server.image?.id),
    flavor_id: flavor?.id ?? "",
    vcpus: flavor?.vcpus ?? 0,
    memory_mib: flavor?.memoryMib ?? 0,
    root_gib: flavor?.rootGib ?? 0,
    ephemeral_gib: flavor?.ephemeralGib ?? 0,
    key_name: orNull(server.keyName),
    config_drive: server.configDrive,
    disk_config: server.diskConfig,
    locked_by: orNull(server.lock?.lockedBy),
    availability_zone: orNull(server.availabilityZone),
    host: orNull(hostInfo?.host),
    node: orNull(hostInfo?.node),
    kernel_id: orNull(hostInfo?.kernelId),
    ramdisk_id: orNull(hostInfo?.ramdiskId),
    root_device_name: orNull(hostInfo?.rootDeviceName),
    progress: server.progress,
    access_ip_v4: orNull(server.accessIpV4),
    access_ip_v6: orNull(server.accessIpV6),
    ipv4: ips(4),
    ipv6: ips(6),
    tags: server.tags,
    server: stored.server,
    details: stored.details,
  };
}

/** The columns that never change after the insert. */
export function instanceIdentity(record: InstanceRecord): Readonly<Record<string, unknown>> {
  const server = serverOf(record);
  return {
    id: server.id,
    project_id: server.projectId,
    user_id: server.userId,
    created_at: fromTimestampOrNull(server.createdAt),
    launch_index: server.launchIndex,
    reservation_id: server.reservationId,
  };
}
