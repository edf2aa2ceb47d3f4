import { DiskConfig } from "../../../gen/kilonova/type/v1/server.js";
import { CreateErrors } from "../errors.js";

/** An image as accepted: its id and its properties in canonical form. */
interface JudgedImage {
  readonly info: { readonly id: string };
  readonly properties: ReadonlyMap<string, string>;
}

/**
 * How the root partition is treated: as asked, else as the image says, else left alone.
 * @throws DISK_CONFIG_DISABLED when AUTO is asked of an image that forbids it
 */
export function diskConfigOf(asked: DiskConfig, image: JudgedImage | undefined): DiskConfig {
  const property = image?.properties.get("hw_auto_disk_config")?.toLowerCase() ?? "";
  if (asked === DiskConfig.DISK_CONFIG_AUTO && property === "disabled")
    throw CreateErrors.DISK_CONFIG_DISABLED({ image: image?.info.id ?? "" });
  if (asked !== DiskConfig.DISK_CONFIG_UNSPECIFIED) return asked;
  return ["true", "1", "yes", "on", "t", "y"].includes(property)
    ? DiskConfig.DISK_CONFIG_AUTO
    : DiskConfig.DISK_CONFIG_MANUAL;
}

/** Whether a config drive is made: for whoever asks, for images that insist, or for all. */
export const configDriveOf = (
  asked: boolean | undefined,
  image: JudgedImage | undefined,
  forced: boolean,
): boolean => asked === true || forced || image?.properties.get("img_config_drive") === "mandatory";
