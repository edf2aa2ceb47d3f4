import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { VolumeAttachment } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import { parseUuid } from "../../kernel/index.js";
import { orNone } from "../../model/presence.js";
import { fromTimestamp } from "../../model/wire-time.js";
import type { LoadedServer } from "../cells/servers.js";
import { VolumeErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A server has no more. */
const MOST = 1_000;

/** All block devices of a server, in the order in which it got them. */
export async function devicesOf(
  { records, guard }: Pick<Parts, "records" | "guard">,
  ctx: Call,
  { server, database }: Pick<LoadedServer, "server" | "database">,
): Promise<readonly BlockDeviceRecord[]> {
  const devices: BlockDeviceRecord[] = [];
  let pageToken = "";
  do {
    const page = await guard.call(ctx, database, (inner) =>
      records.listBlockDevices(inner, { database, serverId: server.id, pageToken }),
    );
    devices.push(...page.blockDevices);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && devices.length < MOST);
  return devices;
}

/** Its volumes, the root volume first. */
export async function volumesOf(
  parts: Pick<Parts, "records" | "guard">,
  ctx: Call,
  loaded: Pick<LoadedServer, "server" | "database">,
): Promise<readonly BlockDeviceRecord[]> {
  const devices = await devicesOf(parts, ctx, loaded);
  return devices
    .filter(({ volumeId }) => volumeId !== "")
    .toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** Where a volume stands among a server's. */
export const placeOf = ({ id, bootIndex, createdAt }: BlockDeviceRecord): string => {
  const at = createdAt === undefined ? 0n : fromTimestamp(createdAt);
  return `${bootIndex === 0 ? 0 : 1} ${at.toString().padStart(20, "0")} ${id}`;
};

/** @throws VOLUME_ATTACHMENT_NOT_FOUND */
export async function volumeOf(
  parts: Pick<Parts, "records" | "guard">,
  ctx: Call,
  loaded: Pick<LoadedServer, "server" | "database">,
  volumeId: string,
): Promise<BlockDeviceRecord> {
  const id = parseUuid(volumeId);
  const found = (await devicesOf(parts, ctx, loaded)).find((one) => id !== undefined && one.volumeId === id);
  if (found === undefined)
    throw VolumeErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: loaded.server.id, volume: volumeId });
  return found;
}

/** A volume as its server's tenant sees it. */
export const presentVolume = (device: BlockDeviceRecord): VolumeAttachment => ({
  volumeId: device.volumeId,
  serverId: device.serverId,
  device: orNone(device.deviceName),
  tag: orNone(device.tag),
  deleteOnTermination: device.deleteOnTermination,
  attachmentId: device.attachmentId,
  blockDeviceId: device.id,
});
