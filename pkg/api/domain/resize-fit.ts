import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { devicesOf, isEphemeral } from "../../model/boot-devices.js";
import { fromTimestampOrNull } from "../../model/wire-time.js";
import { CreateErrors, MoveErrors } from "../errors.js";
import type { FittedImage } from "./image-fit.js";
import { requireFit } from "./image-fit.js";

/** A server that is to go on with another flavor. */
export interface Resized {
  /** What it was built with, as far as it is known. */
  readonly spec: Pick<ServerSpec, "image" | "blockDevices" | "volumeImageMinMemoryMib"> | undefined;
  readonly from: Flavor;
  readonly to: Flavor;
  /** Whether its root disk is a volume, which no flavor sizes. */
  readonly onVolume: boolean;
}

/**
 * Whether a server's image and disks can go on with another flavor, in Nova's order.
 * @param mayUseZeroDisk  whether the caller may boot images with flavors that set no disk size
 * @throws ZERO_DISK_FLAVOR, FLAVOR_NOT_FOUND for one that is disabled, SAME_FLAVOR, FLAVOR_MEMORY_TOO_SMALL,
 *   FLAVOR_DISK_SMALLER_THAN_IMAGE, FLAVOR_DISK_SMALLER_THAN_MIN_DISK, DISK_CANNOT_SHRINK
 * @source nova API.resize, _validate_flavor_image_nostatus; of smaller disks: its libvirt driver
 */
export function requireResizable(resized: Resized, mayUseZeroDisk: boolean): void {
  const { from, to, onVolume } = resized;
  if (!onVolume && to.rootGib === 0 && from.rootGib !== 0) throw MoveErrors.ZERO_DISK_FLAVOR({});
  if (isSame(from, to)) throw MoveErrors.SAME_FLAVOR({});
  if (to.disabled) throw CreateErrors.FLAVOR_NOT_FOUND({ flavor: to.id });
  requireImageFit(resized, mayUseZeroDisk);
  requireRoom(resized);
}

/** One that was made anew under the same id is another one. */
const isSame = (a: Flavor, b: Flavor): boolean =>
  a.id === b.id && fromTimestampOrNull(a.createdAt) === fromTimestampOrNull(b.createdAt);

/** As its image was when the server was made of it: whether it is still there does not matter. */
function requireImageFit({ spec, to, onVolume }: Resized, mayUseZeroDisk: boolean): void {
  const image = spec?.image;
  if (onVolume) {
    // Of what is on a volume nothing else is kept, unless an image has brought the volume along.
    const minMemoryMib = image?.minMemoryMib ?? spec?.volumeImageMinMemoryMib ?? 0;
    if (to.memoryMib < minMemoryMib) throw CreateErrors.FLAVOR_MEMORY_TOO_SMALL({});
    return;
  }
  if (image === undefined) return;
  const fitted: FittedImage = {
    id: image.id,
    status: "active",
    sizeBytes: Number(image.sizeBytes),
    minDiskGib: image.minDiskGib,
    minRamMib: image.minMemoryMib,
  };
  requireFit(fitted, to, mayUseZeroDisk);
}

/** No disk of its host is made smaller: nobody knows what is at its end. A swap disk is made anew. */
function requireRoom({ spec, from, to, onVolume }: Resized): void {
  if (!onVolume && to.rootGib < from.rootGib)
    throw MoveErrors.DISK_CANNOT_SHRINK({ disk: "root", fromGib: from.rootGib, toGib: to.rootGib });
  const fromGib = ephemeralGib(spec, from);
  if (to.ephemeralGib < fromGib)
    throw MoveErrors.DISK_CANNOT_SHRINK({ disk: "ephemeral", fromGib, toGib: to.ephemeralGib });
}

const ephemeralGib = (spec: Resized["spec"], flavor: Flavor): number =>
  devicesOf({ flavor, image: spec?.image, blockDevices: spec?.blockDevices ?? [] })
    .filter(isEphemeral)
    .reduce((sum, { sizeGib = 0 }) => sum + sizeGib, 0);
