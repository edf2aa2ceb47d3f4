import { BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { ImageInfo } from "../../clients/glance/ports.js";
import { CreateErrors } from "../errors.js";
import { refusal } from "./block-devices.js";

const GIB = 1024n ** 3n;

/**
 * Whether an image can run with a flavor on a local disk.
 * @param mayUseZeroDisk  whether the caller may boot images with flavors that set no disk size
 * @throws IMAGE_NOT_ACTIVE, FLAVOR_MEMORY_TOO_SMALL, FLAVOR_DISK_SMALLER_THAN_IMAGE,
 *   FLAVOR_DISK_SMALLER_THAN_MIN_DISK, ZERO_DISK_FLAVOR
 */
export function requireFit(image: FittedImage, flavor: Flavor, mayUseZeroDisk: boolean): void {
  requireUsable(image, flavor);
  if (flavor.rootGib === 0) {
    if (!mayUseZeroDisk) throw CreateErrors.ZERO_DISK_FLAVOR({});
    return;
  }
  const flavorBytes = BigInt(flavor.rootGib) * GIB;
  const imageBytes = BigInt(image.sizeBytes ?? 0);
  if (imageBytes > flavorBytes)
    throw CreateErrors.FLAVOR_DISK_SMALLER_THAN_IMAGE({ flavorBytes, imageBytes });
  const minBytes = BigInt(image.minDiskGib) * GIB;
  if (minBytes > flavorBytes) throw CreateErrors.FLAVOR_DISK_SMALLER_THAN_MIN_DISK({ flavorBytes, minBytes });
}

/** What of an image has to fit. */
export interface FittedImage extends Pick<ImageInfo, "id" | "status" | "minDiskGib" | "minRamMib"> {
  readonly sizeBytes?: number | undefined;
}

function requireUsable(image: FittedImage, flavor: Flavor): void {
  if (image.status !== "active") throw CreateErrors.IMAGE_NOT_ACTIVE({ image: image.id });
  if (flavor.memoryMib < image.minRamMib) throw CreateErrors.FLAVOR_MEMORY_TOO_SMALL({});
}

/**
 * Whether an image can run with a flavor on a volume; one that is there already was judged when it was made.
 * @throws IMAGE_NOT_ACTIVE, FLAVOR_MEMORY_TOO_SMALL, BAD_BLOCK_DEVICES
 */
export function requireVolumeFit(image: FittedImage, flavor: Flavor, root: BlockDevice): void {
  requireUsable(image, flavor);
  if (root.source === BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME || root.sizeGib === undefined) return;
  const bytes = BigInt(root.sizeGib) * GIB;
  const minBytes = BigInt(image.minDiskGib) * GIB;
  if (minBytes > bytes)
    throw refusal(
      "block_devices",
      `Volume is smaller than the minimum size specified in image metadata. Volume size is ${bytes} bytes, minimum size is ${minBytes} bytes.`,
    );
}

/**
 * Whether a project may boot an image that the service itself can see. Shared images of others need Glance's
 * word on membership, which the caller asks for.
 */
export const mayUseImage = (image: ImageInfo, projectId: string, admin: boolean): boolean =>
  admin || image.owner === projectId || image.visibility === "public" || image.visibility === "community";
