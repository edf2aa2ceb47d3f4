import type { Condition } from "../../placement/index/index.js";
import type { RequestSpec } from "./request-spec.js";
import { isTrue } from "./resource-request.js";

export interface PrefilterOptions {
  readonly queryPlacementForImageTypeSupport: boolean;
  readonly imageMetadataPrefilter: boolean;
}

/**
 * Conditions on the root provider of every host: they hold whichever provider of the tree gives the
 * resources.
 * @source scheduler.md §3
 */
export function rootConditions(request: RequestSpec, options: PrefilterOptions): Condition[] {
  const conditions: Condition[] = [{ anyOf: ["COMPUTE_STATUS_DISABLED"], forbidden: true }];
  const want = (...anyOf: string[]): void => {
    conditions.push({ anyOf, forbidden: false });
  };
  const { image, extraSpecs } = request;
  const property = (spec: string, name: string): string | undefined =>
    extraSpecs.get(spec) ?? image?.properties.get(name);
  if (options.queryPlacementForImageTypeSupport && image !== undefined && image.diskFormat !== "")
    want(`COMPUTE_IMAGE_TYPE_${shout(image.diskFormat)}`);
  if (options.imageMetadataPrefilter) {
    for (const [name, prefix] of IMAGE_TRAITS) {
      const value = image?.properties.get(name);
      if (value !== undefined) want(`${prefix}${shout(value)}`);
    }
  }
  if (extraSpecs.has("accel:device_profile")) want("COMPUTE_ACCELERATORS");
  if (isTrue(property("hw:virtio_packed_ring", "hw_virtio_packed_ring"))) want("COMPUTE_NET_VIRTIO_PACKED");
  if (isTrue(property("hw:ephemeral_encryption", "hw_ephemeral_encryption"))) {
    const format = property("hw:ephemeral_encryption_format", "hw_ephemeral_encryption_format");
    want(
      format === undefined ? "COMPUTE_EPHEMERAL_ENCRYPTION" : `COMPUTE_EPHEMERAL_ENCRYPTION_${shout(format)}`,
    );
  }
  if (property("hw:sound_model", "hw_sound_model") === "virtio") want("COMPUTE_SOUND_MODEL_VIRTIO");
  return conditions;
}

const shout = (text: string): string => text.toUpperCase().replaceAll("-", "_");

const IMAGE_TRAITS = [
  ["hw_cdrom_bus", "COMPUTE_STORAGE_BUS_"],
  ["hw_disk_bus", "COMPUTE_STORAGE_BUS_"],
  ["hw_video_model", "COMPUTE_GRAPHICS_MODEL_"],
  ["hw_vif_model", "COMPUTE_NET_VIF_MODEL_"],
  ["hw_architecture", "HW_ARCH_"],
  ["hw_emulation_architecture", "COMPUTE_ARCH_"],
  ["hw_viommu_model", "COMPUTE_VIOMMU_"],
] as const;
