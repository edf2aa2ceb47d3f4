import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import type { ImageInfo } from "../../clients/glance/ports.js";
import { CreateErrors } from "../errors.js";

const GIB = 1024n ** 3n;

/**
 * Whether an image can run with a flavor on a local disk.
 * @param mayUseZeroDisk  whether the caller may boot images with flavors that set no disk size
 * @throws IMAGE_NOT_ACTIVE, FLAVOR_MEMORY_TOO_SMALL, FLAVOR_DISK_SMALLER_THAN_IMAGE,
 *   FLAVOR_DISK_SMALLER_THAN_MIN_DISK, ZERO_DISK_FLAVOR
 */
export function requireFit(image: ImageInfo, flavor: Flavor, mayUseZeroDisk: boolean): void {
  if (image.status !== "active") throw CreateErrors.IMAGE_NOT_ACTIVE({ image: image.id });
  if (flavor.memoryMib < image.minRamMib) throw CreateErrors.FLAVOR_MEMORY_TOO_SMALL({});
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

/**
 * Whether a project may boot an image that the service itself can see. Shared images of others need Glance's
 * word on membership, which the caller asks for.
 */
export const mayUseImage = (image: ImageInfo, projectId: string, admin: boolean): boolean =>
  admin || image.owner === projectId || image.visibility === "public" || image.visibility === "community";
