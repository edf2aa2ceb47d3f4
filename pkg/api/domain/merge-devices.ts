import { BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { isEphemeral, isSwap, isVolume, rootOf, usualDevices } from "../../model/boot-devices.js";
import type { WantedDevice } from "./block-devices.js";
import { nameOf, refusal, withDefaults } from "./block-devices.js";
import { imageDevices } from "./image-devices.js";

/** What all of a server's disks follow from. */
export interface DeviceSources {
  /** Of the request. */
  readonly wanted: readonly WantedDevice[];
  /** The image of the request. */
  readonly imageId: string | undefined;
  /** Of that image, or of the one on the volume that is booted from; canonical. */
  readonly properties: ReadonlyMap<string, string>;
  readonly flavor: Flavor;
  /** Servers that the request may become. */
  readonly maxCount: number;
}

const ROOT_NAME = "vda";
const VOLUME = BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME;

/**
 * All disks that a server is to have: those of the request, those that its image brings and that have other
 * names, and what the flavor gives.
 * @throws BAD_BLOCK_DEVICES
 * @source nova API._check_and_transform_bdm
 */
export function mergeDevices(sources: DeviceSources): WantedDevice[] {
  const { wanted, imageId, properties, flavor, maxCount } = sources;
  const clash = imageId === undefined ? undefined : wanted.find(hasRootName);
  if (clash !== undefined)
    throw refusal(
      `${clash.field}.device_name`,
      `The volume cannot be assigned the same device name as the root device ${ROOT_NAME}`,
    );
  const ofImage = imageDevices(properties, flavor).map((device) => ({ device, field: "image_id" }));
  const own = requested(sources, rootOf(ofImage.map(({ device }) => device)) !== undefined);
  const names = new Set(own.map(({ device }) => nameOf(device)).filter((name) => name !== ""));
  const merged = [...own, ...ofImage.filter(({ device }) => !names.has(nameOf(device)))];
  const fromVolume = maxCount > 1 ? merged.find(({ device }) => device.source === VOLUME) : undefined;
  if (fromVolume !== undefined)
    throw refusal(fromVolume.field, "Cannot attach one or more volumes to multiple instances");
  return [...merged, ...flavorDevices(flavor, merged)];
}

const hasRootName = ({ device }: WantedDevice): boolean => isVolume(device) && nameOf(device) === ROOT_NAME;

/** An image that brings a disk to boot from takes the place of the disk that it would become itself. */
function requested({ wanted, imageId }: DeviceSources, imageBoots: boolean): WantedDevice[] {
  const { BLOCK_DEVICE_SOURCE_IMAGE: IMAGE } = BlockDeviceSource;
  if (imageBoots) return wanted.filter(({ device }) => !(device.bootIndex === 0 && device.source === IMAGE));
  if (wanted.length > 0 || imageId === undefined) return [...wanted];
  const [root] = usualDevices({ flavor: undefined, image: { id: imageId } });
  return root === undefined ? [] : [{ device: root, field: "image_id" }];
}

/** The flavor's disks, of the kinds that nothing else asks for. @source nova API._get_flavor_defined_bdms */
function flavorDevices(flavor: Flavor, merged: readonly WantedDevice[]): WantedDevice[] {
  const has = (is: (device: BlockDevice) => boolean): boolean => merged.some(({ device }) => is(device));
  return usualDevices({ flavor, image: undefined })
    .filter((device) => !has(isSwap(device) ? isSwap : isEphemeral))
    .map((device) => ({ device: withDefaults(device), field: "flavor_id" }));
}
