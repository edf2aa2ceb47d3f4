import { E } from "../errors.js";
import type { AttachStatus, Volume, VolumeStatus } from "./model.js";

/** `available, in-use or downloading`, as Cinder joins them. */
const either = (statuses: readonly string[]): string =>
  statuses.length < 2
    ? (statuses[0] ?? "")
    : `${statuses.slice(0, -1).join(", ")} or ${statuses.at(-1) ?? ""}`;

/** @throws INVALID_VOLUME with `text` unless the volume is in one of the states */
function demandStatus(
  volume: Volume,
  expected: readonly VolumeStatus[],
  text: (statuses: string) => string,
): void {
  if (!expected.includes(volume.status)) throw E.INVALID_VOLUME({ reason: text(either(expected)) });
}

/** Each is kept with its volume and served by itself; the servers of a volume for many are fewer. */
const MAX_ATTACHMENTS = 256;

/**
 * Whether one more attachment may be made, and the volume's status then. A server that has the volume may get
 * another one of it: it may be moving to another host.
 * @throws INVALID_VOLUME
 */
export function statusOnAttachment(volume: Volume, instanceUuid: string | null): VolumeStatus {
  if (volume.status.includes("error"))
    throw E.INVALID_VOLUME({
      reason: `Volume attachments can not be created if the volume is in an error state. The Volume ${volume.id} currently has a status of: ${volume.status} `,
    });
  if (volume.attachments.length >= MAX_ATTACHMENTS)
    throw E.INVALID_VOLUME({
      reason: `Volume ${volume.id} has ${MAX_ATTACHMENTS} attachments, more are not possible.`,
    });
  const expected: readonly VolumeStatus[] = volume.multiattach ? ["available", "in-use"] : ["available"];
  if (expected.includes(volume.status)) return "reserved";
  const moves =
    instanceUuid !== null &&
    (volume.status === "in-use" || volume.status === "reserved") &&
    volume.attachments.some((one) => one.instanceUuid === instanceUuid);
  if (moves) return volume.status;
  throw E.INVALID_VOLUME({
    reason: `Volume ${volume.id} status must be ${either(expected)} to reserve, but the current status is ${volume.status}.`,
  });
}

/**
 * Whether an attachment may be connected to a host.
 * @throws RESOURCE_CONFLICT when the volume is broken, or connected to another host already and not for
 *   several
 */
export function demandConnectable(volume: Volume, attachmentId: string): void {
  if (volume.status.includes("error"))
    throw E.RESOURCE_CONFLICT({
      reason: `Volume attachments can not be updated if the volume is in an error state. The Volume ${volume.id} currently has a status of: ${volume.status} `,
    });
  const others = volume.attachments.filter((one) => one.id !== attachmentId && one.connectionInfo !== null);
  const mine = volume.attachments.find((one) => one.id === attachmentId);
  // A move: both are the same server's.
  const foreign = others.filter(
    (one) => one.instanceUuid === null || one.instanceUuid !== mine?.instanceUuid,
  );
  if (!volume.multiattach && foreign.length > 0)
    throw E.RESOURCE_CONFLICT({ reason: `duplicate connectors detected on volume ${volume.id}` });
}

const WEIGHT: readonly (readonly [AttachStatus, VolumeStatus])[] = [
  ["attached", "in-use"],
  ["attaching", "attaching"],
  ["detaching", "detaching"],
  ["reserved", "reserved"],
];

/** The volume's status when these attachments are left. */
export const statusOfAttachments = (left: readonly { readonly status: AttachStatus }[]): VolumeStatus =>
  WEIGHT.find(([status]) => left.some((one) => one.status === status))?.[1] ?? "available";

/** @throws INVALID_VOLUME */
export function demandDeletable(
  volume: Volume,
  { force, hasSnapshots }: { readonly force: boolean; readonly hasSnapshots: boolean },
): void {
  const expected: readonly VolumeStatus[] = ["available", "error", "error_deleting", "error_extending"];
  const inState = force ? volume.status !== "deleting" : expected.includes(volume.status);
  const attached = volume.attachments.some((one) => one.status === "attached");
  if (inState && !attached && !hasSnapshots) return;
  const status = force
    ? ""
    : " status must be available or error or error_restoring or error_extending or error_managing and";
  throw E.INVALID_VOLUME({
    reason: `Volume${status} must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.`,
  });
}

/** What the simple actions on a volume's status do. @throws INVALID_VOLUME */
export const transitions = {
  "os-reserve": (volume: Volume): VolumeStatus => {
    demandStatus(
      volume,
      volume.multiattach ? ["available", "in-use"] : ["available"],
      (expected) => `Volume status must be ${expected} to reserve, but the status is ${volume.status}.`,
    );
    return "attaching";
  },
  // Not reserved: nothing to do, as in Cinder.
  "os-unreserve": (volume: Volume): VolumeStatus =>
    volume.status === "attaching" ? statusOfAttachments(volume.attachments) : volume.status,
  "os-begin_detaching": (volume: Volume): VolumeStatus => {
    const attached = volume.attachments.some((one) => one.status === "attached");
    if (volume.status === "in-use" && attached) return "detaching";
    throw E.INVALID_VOLUME({
      reason:
        "Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.",
    });
  },
  "os-roll_detaching": (volume: Volume): VolumeStatus =>
    volume.status === "detaching" ? "in-use" : volume.status,
} as const;

/** @throws INVALID_VOLUME, INVALID_INPUT */
export function demandExtendable(volume: Volume, sizeGib: number, mayBeInUse: boolean): void {
  if (sizeGib <= volume.sizeGib)
    throw E.INVALID_INPUT({
      reason: `New size for extend must be greater than current size. (current: ${volume.sizeGib}, extended: ${sizeGib}).`,
    });
  const expected = mayBeInUse && volume.status === "in-use" ? "in-use" : "available";
  if (volume.status !== expected)
    throw E.INVALID_VOLUME({
      reason: `Volume ${volume.id} status must be '{'status': '${expected}'}' to extend, currently ${volume.status}.`,
    });
}

/** @throws INVALID_VOLUME */
export const demandUploadable = (volume: Volume, force: boolean): void =>
  demandStatus(
    volume,
    force ? ["available", "in-use"] : ["available"],
    (expected) => `Volume ${volume.id} status must be ${expected}`,
  );

/** @throws INVALID_VOLUME, REIMAGE_ATTACHED */
export function demandReimageable(volume: Volume, reserved: boolean): void {
  if (volume.attachments.length > 1) throw E.REIMAGE_ATTACHED({});
  demandStatus(
    volume,
    reserved ? ["available", "error", "reserved"] : ["available", "error"],
    (expected) => `Volume ${volume.id} status must be ${expected}, but current status is ${volume.status}.`,
  );
}

/** @throws INVALID_VOLUME */
export function demandSnapshotable(volume: Volume, force: boolean): void {
  if (volume.status === "available" || (force && volume.status === "in-use")) return;
  throw E.INVALID_VOLUME({
    reason: `Volume ${volume.id} status must be ${force ? "available or in-use" : "available"}, but current status is: ${volume.status}.`,
  });
}
