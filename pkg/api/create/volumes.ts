import type { SnapshotInfo, VolumeInfo, VolumeTypeInfo } from "../../clients/cinder/ports.js";
import { KilonovaError, parseUuid } from "../../kernel/index.js";
import type { WantedDevice } from "../domain/block-devices.js";
import { refusal } from "../domain/block-devices.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A volume that the caller sees; undefined when there is none. */
export async function findVolume(parts: Parts, ctx: Call, id: string): Promise<VolumeInfo | undefined> {
  return visible(ctx, parseUuid(id), (volume) => parts.cinder.getVolume(ctx, volume));
}

/** As `findVolume`, of snapshots. */
export async function findSnapshot(parts: Parts, ctx: Call, id: string): Promise<SnapshotInfo | undefined> {
  return visible(ctx, parseUuid(id), (snapshot) => parts.cinder.getSnapshot(ctx, snapshot));
}

/** The service sees what belongs to others; its callers do not. */
async function visible<T extends { readonly projectId: string }>(
  { actor, rights }: Call,
  id: string | undefined,
  read: (id: string) => Promise<T>,
): Promise<T | undefined> {
  if (id === undefined) return undefined;
  try {
    const found = await read(id);
    return rights.isAdmin || found.projectId === actor.projectId ? found : undefined;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}

/** The snapshot that a server boots from. @throws BAD_BLOCK_DEVICES */
export async function snapshotOf(parts: Parts, ctx: Call, id: string, field: string): Promise<SnapshotInfo> {
  const snapshot = await findSnapshot(parts, ctx, id);
  if (snapshot === undefined) throw refusal(field, `Snapshot ${id} could not be found.`);
  return snapshot;
}

/**
 * A volume that a new server can have, as far as can be told before it is reserved.
 * @param mayShare  whether the caller knows of volumes that several servers have
 * @throws BAD_BLOCK_DEVICES
 */
export async function usableVolume(
  parts: Parts,
  ctx: Call,
  id: string,
  field: string,
  mayShare: boolean,
): Promise<VolumeInfo> {
  const volume = await findVolume(parts, ctx, id);
  if (volume === undefined) throw refusal(field, `Volume ${id} could not be found.`);
  if (volume.multiattach && !mayShare)
    throw refusal(field, "Multiattach volumes are only supported starting with compute API version 2.60.");
  const free = ["available", "downloading"].includes(volume.status);
  const shared = volume.multiattach && ["in-use", "reserved", "attaching"].includes(volume.status);
  if (!free && !shared) throw notReservable(field, volume.id, volume.status);
  return volume;
}

/** Block Storage's words in Nova's. */
export const notReservable = (field: string, volume: string, status: string): Error =>
  refusal(
    field,
    `Invalid volume: Invalid input received: Invalid volume: Volume ${volume} status must be available or downloading to reserve, but the current status is ${status}.`,
  );

/** The name of the type that is asked for; undefined for none. @throws BAD_BLOCK_DEVICES */
export function volumeTypeOf(
  { device, field }: WantedDevice,
  types: readonly VolumeTypeInfo[],
): string | undefined {
  const asked = device.volumeType;
  if (asked === undefined) return undefined;
  const type = types.find(({ id, name }) => id === asked || name === asked);
  if (type === undefined) throw refusal(`${field}.volume_type`, `Volume type ${asked} could not be found.`);
  return type.name;
}
