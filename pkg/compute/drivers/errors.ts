import { defineErrors } from "../../kernel/index.js";

/**
 * Why a hypervisor driver refuses or fails. Texts are safe for tenants, no paths, no host names, except those
 * of a start, which only operators see.
 */
export const DriverErrors = defineErrors("compute.driver", {
  GUEST_NOT_DEFINED: [
    "missing",
    (p: { instanceUuid: string }) => `Instance ${p.instanceUuid} could not be found on this host.`,
  ],
  DEFINITION_SPOILED: [
    "refused",
    (p: { instanceUuid: string }) =>
      `What this host has written down about instance ${p.instanceUuid} is spoiled. Its files are left alone until an operator has mended that.`,
  ],
  DEFINITIONS_UNREADABLE: [
    "refused",
    (p: { path: string; problem: string }) =>
      `${p.path} cannot be read: ${p.problem}. The agent does not start, since it would not know which guests it has. Mend that and start again.`,
  ],
  GUEST_NOT_RUNNING: [
    "refused",
    (p: { instanceUuid: string }) => `Instance ${p.instanceUuid} is not running.`,
  ],
  NO_ROOM_FOR_MEMORY: [
    "refused",
    (p: { needMib: number; freeMib: number }) =>
      `The host has no room for the guest's memory: ${p.needMib} MiB are needed, ${p.freeMib} MiB are free.`,
  ],
  GUEST_NOT_SUSPENDABLE: [
    "refused",
    (p: { instanceUuid: string; why: string }) => `Instance ${p.instanceUuid} cannot be suspended: ${p.why}.`,
  ],
  SAVED_MEMORY_LOST: [
    "refused",
    (p: { instanceUuid: string }) =>
      `The memory of instance ${p.instanceUuid} is not there any more. It can only be started anew, by a hard reboot.`,
  ],
  NMI_UNSUPPORTED: ["unsupported", (_p: Record<string, never>) => "Triggering crash dump is not supported"],
  FLAVOR_DISK_TOO_SMALL: [
    "refused",
    (p: { rootBytes: number; imageBytes: number }) =>
      `Flavor's disk is too small for requested image. Flavor disk is ${p.rootBytes} bytes, image is ${p.imageBytes} bytes.`,
  ],
  DISK_SHRINK_REFUSED: [
    "refused",
    (p: { haveBytes: number; wantBytes: number }) =>
      `A disk of ${p.haveBytes} bytes cannot be made smaller (${p.wantBytes} bytes).`,
  ],
  DISK_LOST: [
    "refused",
    (p: { instanceUuid: string; disk: string }) =>
      `Disk ${p.disk} of instance ${p.instanceUuid} is not there any more.`,
  ],
  IMAGE_CHANGED: [
    "refused",
    (p: { instanceUuid: string }) => `Instance ${p.instanceUuid} already has a root disk of another image.`,
  ],
  REBUILD_NOT_PREPARED: [
    "refused",
    (p: { instanceUuid: string }) => `Nothing is prepared to take the place of instance ${p.instanceUuid}.`,
  ],
  UNSUPPORTED_HARDWARE: [
    "invalid",
    (p: { property: string; value: string }) => `Virtual hardware ${p.property}=${p.value} is not supported.`,
  ],
  GUEST_AGENT_MISSING: ["refused", (_p: Record<string, never>) => "QEMU guest agent is not enabled"],
  GUEST_AGENT_REFUSED: ["refused", (_p: Record<string, never>) => "The agent inside the guest refused."],
  NO_ROOT_DISK: [
    "refused",
    (p: { instanceUuid: string }) => `Instance ${p.instanceUuid} has no root disk to make an image of.`,
  ],
  QUIESCE_FAILED: [
    "refused",
    (p: { instanceUuid: string }) =>
      `Failed to quiesce instance: the file systems of ${p.instanceUuid} could not be frozen.`,
  ],
  HOST_DISK_FULL: [
    "refused",
    (_p: { needBytes: number; freeBytes: number }) => "The host has no room for a copy of the disk.",
  ],
  GUEST_NOT_REACHABLE: [
    "refused",
    (p: { instanceUuid: string }) =>
      `Instance ${p.instanceUuid} was started by an older version, which left no way to copy its disk. Stop and start it first.`,
  ],
  SNAPSHOT_LOST: ["refused", (_p: { snapshotId: string }) => "The copy of the disk is not there any more."],
  GUEST_LEAVING: [
    "refused",
    (p: { instanceUuid: string }) =>
      `Instance ${p.instanceUuid} is on its way to another host: it stays off here.`,
  ],
  GUEST_HERE_ALREADY: [
    "exists",
    (p: { instanceUuid: string }) => `Instance ${p.instanceUuid} is on this host already.`,
  ],
  TRANSFER_UNKNOWN: ["missing", (_p: Record<string, never>) => "No such disk is offered to this host."],
  TRANSFER_BROKEN: [
    "unavailable",
    (p: { disk: string; problem: string }) => `Disk ${p.disk} did not arrive whole: ${p.problem}.`,
  ],
  SOCKET_PATH_UNUSABLE: ["invalid", (_p: { bytes: number }) => "The interface's socket path cannot be used."],
  HYPERVISOR_FAILED: ["internal", (p: { step: string }) => `The hypervisor failed to ${p.step}.`],
  HYPERVISOR_SILENT: ["deadline", (p: { step: string }) => `The hypervisor did not ${p.step} in time.`],
  MONITOR_CLOSED: ["unavailable", (_p: { step: string }) => "The guest's hypervisor process went away."],
  COMMAND_REFUSED: [
    "internal",
    (p: { command: string; errorClass: string }) => `The hypervisor refused ${p.command}.`,
  ],
  DEVICE_DETACH_FAILED: [
    "refused",
    (_p: { device: string }) => "The guest did not let go of the device in time.",
  ],
  VOLUME_NOT_REACHABLE: [
    "refused",
    (p: { volume: string }) => `Volume ${p.volume} cannot be reached from the host.`,
  ],
  VOLUME_NOT_ATTACHED: [
    "refused",
    (p: { volume: string; instanceUuid: string }) =>
      `Volume ${p.volume} is not attached to instance ${p.instanceUuid}.`,
  ],
  VOLUME_TOO_SMALL: [
    "refused",
    (p: { volume: string; haveBytes: number; wantBytes: number }) =>
      `Volume ${p.volume} holds ${p.haveBytes} bytes where it is served, not ${p.wantBytes}.`,
  ],
  DEVICE_SLOTS_EXHAUSTED: [
    "refused",
    (_p: { instanceUuid: string }) => "The guest has no slot left for another device.",
  ],
  ISOLATION_INCOMPLETE: [
    "refused",
    (p: { missing: string }) =>
      `Guests would lack ${p.missing}. Nothing was started. Mend that, or accept less: compute.guestIsolation=best-effort`,
  ],
  GUEST_NOT_ISOLATED: [
    "internal",
    (_p: { missing: string }) => "The guest could not be isolated from its host.",
  ],
  UIDS_UNUSABLE: [
    "refused",
    (p: { first: number; count: number }) =>
      `The users ${p.first === 0 ? "that Kilonova would give to guests" : `from ${p.first}`} (${p.count}) do not exist in this user namespace: see compute.guestUidFirst.`,
  ],
  UIDS_EXHAUSTED: [
    "refused",
    (_p: { first: number; count: number }) => "The host has no user left for another guest.",
  ],
  TOOL_FAILED: ["internal", (p: { tool: string }) => `Preparing the guest failed (${p.tool}).`],
});
