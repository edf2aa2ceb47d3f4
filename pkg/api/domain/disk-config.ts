import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import type { ImageInfo } from "../../clients/glance/ports.js";
import { CreateErrors } from "../errors.js";

/**
 * How the root partition is treated: as asked, else as the image says, else left alone.
 * @throws DISK_CONFIG_DISABLED when AUTO is asked of an image that forbids it
 */
export function diskConfigOf(asked: DiskConfig, image: ImageInfo | undefined): DiskConfig {
  const property = image?.properties["auto_disk_config"]?.toLowerCase() ?? "";
  if (asked === DiskConfig.DISK_CONFIG_AUTO && property === "disabled")
    throw CreateErrors.DISK_CONFIG_DISABLED({ image: image?.id ?? "" });
  if (asked !== DiskConfig.DISK_CONFIG_UNSPECIFIED) return asked;
  return ["true", "1", "yes", "on", "t", "y"].includes(property)
    ? DiskConfig.DISK_CONFIG_AUTO
    : DiskConfig.DISK_CONFIG_MANUAL;
}

/** Whether a config drive is made: for whoever asks, for images that insist, or for all. */
export const configDriveOf = (
  asked: boolean | undefined,
  image: ImageInfo | undefined,
  forced: boolean,
): boolean => asked === true || forced || image?.properties["img_config_drive"] === "mandatory";
