import type { ImageRef } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { ImageInfo } from "./ports.js";

/** What of an image is kept when its use is accepted. */
export function imageRefOf(image: ImageInfo, properties: ReadonlyMap<string, string>): ImageRef {
  return {
    id: image.id,
    name: image.name,
    diskFormat: image.diskFormat ?? "",
    containerFormat: image.containerFormat ?? "",
    sizeBytes: BigInt(image.sizeBytes ?? 0),
    minDiskGib: image.minDiskGib,
    minMemoryMib: image.minRamMib,
    checksum: image.checksum ?? "",
    osHashAlgo: image.hashAlgorithm ?? "",
    osHashValue: image.hashValue ?? "",
    properties: new Map(properties),
  };
}
