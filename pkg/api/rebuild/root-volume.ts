import type { RebuildServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { LoadedServer } from "../cells/servers.js";
import { RebuildErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { devicesOf } from "../volumes/devices.js";
import { notInUse, notInUseText, volumesOfServer } from "../volumes/volumes-in-use.js";

/** The volume that a server boots from, and what a rebuild does to it. */
export interface RootVolume {
  readonly volume: VolumeInfo;
  /** Whether the image is written over it; else it stays as it is. */
  readonly reimages: boolean;
  /** Whether the image is another one than it was made from. */
  readonly isOther: boolean;
}

/**
 * The root volume of a server that boots from one, which may be rebuilt as it is asked for.
 * @throws IMAGE_UNACCEPTABLE, VOLUME_NOT_IN_USE, VOLUME_NOT_FOUND, ROOT_VOLUME_UNKNOWN
 * @source nova API.rebuild
 */
export async function rootVolume(
  parts: Parts,
  ctx: Call,
  { imageId, reimageRootVolume: reimages }: RebuildServerRequest,
  loaded: LoadedServer,
): Promise<RootVolume> {
  const root = (await devicesOf(parts, ctx, loaded)).find(({ bootIndex }) => bootIndex === 0);
  const volumes = await volumesOfServer(parts, ctx, loaded.server);
  const volume = volumes.find(({ id }) => id === root?.volumeId);
  if (volume === undefined) {
    // Of a server that was never built nobody knows it: the request is judged as far as it can be.
    if (!reimages) throw RebuildErrors.IMAGE_UNACCEPTABLE({ image: imageId });
    throw RebuildErrors.ROOT_VOLUME_UNKNOWN({});
  }
  const isOther = volume.imageMetadata["image_id"] !== imageId.toLowerCase();
  if (isOther && !reimages) throw RebuildErrors.IMAGE_UNACCEPTABLE({ image: imageId });
  const isLeft = (one: VolumeInfo): boolean => reimages && one === volume && isLeftReserved(loaded, one);
  const unused = notInUse(volumes.filter((one) => !isLeft(one)));
  if (unused !== undefined) throw RebuildErrors.VOLUME_NOT_IN_USE({ why: notInUseText(unused) });
  return { volume, reimages, isOther };
}

/** What a rebuild that failed may have left: its server has the volume, and no host is connected. */
const isLeftReserved = ({ server }: LoadedServer, { status }: VolumeInfo): boolean =>
  server.vmState === VmState.VM_STATE_ERROR && status === "reserved";
