import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { BlockDeviceSource } from "../../../gen/kilonova/type/v1/block_device.js";
import type { BlockDevice } from "../../../gen/kilonova/type/v1/block_device.js";
import type { Flavor } from "../../../gen/kilonova/type/v1/flavor.js";
import { KilonovaError, mapLimit } from "../../kernel/index.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { isVolume, rootOf } from "../../model/boot-devices.js";
import type { WantedDevice } from "../domain/block-devices.js";
import { judgeDevices, malformed, readDevices, refusal, withSizes } from "../domain/block-devices.js";
import { requireFit, requireVolumeFit } from "../domain/image-fit.js";
import type { FittedImage } from "../domain/image-fit.js";
import { imageDevices } from "../domain/image-devices.js";
import { mergeDevices } from "../domain/merge-devices.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import type { AcceptedImage } from "./image.js";
import { acceptImage, findImage, requireTyped } from "./image.js";
import {
  findSnapshot,
  findVolume,
  notReservable,
  snapshotOf,
  usableVolume,
  volumeTypeOf,
} from "./volumes.js";

const {
  BLOCK_DEVICE_SOURCE_IMAGE: IMAGE,
  BLOCK_DEVICE_SOURCE_SNAPSHOT: SNAPSHOT,
  BLOCK_DEVICE_SOURCE_VOLUME: VOLUME,
} = BlockDeviceSource;

const LOOKUPS_AT_ONCE = 8;

/** What a server boots from says of itself. */
export interface BootImage {
  readonly info: FittedImage;
  /** Canonical. */
  readonly properties: ReadonlyMap<string, string>;
}

/** All disks of a server, everything in them known and usable by the caller. */
export interface DevicePlan {
  /** Empty when image and flavor give all of them and nothing was said of them. */
  readonly devices: readonly BlockDevice[];
  readonly volumeBacked: boolean;
  /** The image, or what the volume that is booted from was made of; undefined for a volume of nothing. */
  readonly boot: BootImage | undefined;
}

/** What has been read already. */
export interface DevicesFor {
  readonly flavor: Flavor;
  readonly image: AcceptedImage | undefined;
  readonly maxCount: number;
}

/**
 * Decides which disks a server gets, and resolves every id in them with the caller's rights. Nothing is
 * reserved.
 * @throws BAD_BLOCK_DEVICES, BAD_IMAGE_PROPERTIES of a volume, what `acceptImage` and `requireFit` throw
 */
export async function planDevices(
  parts: Parts,
  ctx: Call,
  request: CreateServersRequest,
  { flavor, image, maxCount }: DevicesFor,
): Promise<DevicePlan> {
  const wanted = readDevices(request.blockDevices, request.imageId);
  const boot: BootImage | undefined = image ?? (await bootImage(parts, ctx, wanted));
  const properties = boot?.properties ?? new Map<string, string>();
  const merged = mergeDevices({
    wanted,
    imageId: request.imageId,
    properties,
    flavor,
    maxCount,
  });
  const root = rootOf(merged.map(({ device }) => device));
  const volumeBacked = root !== undefined && isVolume(root);
  if (boot !== undefined) {
    if (volumeBacked) requireVolumeFit(boot.info, flavor, root);
    else requireFit(boot.info, flavor, ctx.rights.allows("os_compute_api:servers:create:zero_disk_flavor"));
  }
  judgeDevices(merged, flavor, parts.config.maxLocalBlockDevices);
  if (request.blockDevices.length === 0 && !volumeBacked && imageDevices(properties, flavor).length === 0)
    return { devices: [], volumeBacked, boot };
  requireDistinctVolumes(merged);
  const types = merged.some(({ device }) => device.volumeType !== undefined)
    ? await parts.cinder.listTypes(ctx)
    : [];
  const devices = await mapLimit(merged, LOOKUPS_AT_ONCE, async ({ device, field }) => {
    const found = await resolved(parts, ctx, { device, field }, { request, readImageId: boot?.info.id });
    return withSizes({ ...found, volumeType: volumeTypeOf({ device, field }, types) }, flavor);
  });
  return { devices, volumeBacked, boot };
}

/** What is known of the disk that is booted from, when no image is asked for. */
async function bootImage(
  parts: Parts,
  ctx: Call,
  wanted: readonly WantedDevice[],
): Promise<BootImage | undefined> {
  const root = wanted.find(({ device }) => device.bootIndex === 0);
  const { source, sourceId } = root?.device ?? {};
  if (root === undefined || sourceId === undefined) return undefined;
  const field = `${root.field}.source_id`;
  if (source === IMAGE) return imageOf(parts, ctx, sourceId, field);
  const volumeId = source === SNAPSHOT ? (await snapshotOf(parts, ctx, sourceId, field)).volumeId : sourceId;
  const volume = await findVolume(parts, ctx, volumeId);
  if (volume === undefined) throw malformed(field, `failed to get volume ${volumeId}.`);
  if (!volume.bootable) throw refusal(field, `Block Device ${volumeId} is not bootable.`);
  return volumeImage(volume);
}

/** What a volume keeps of the image that it was made from. @source nova get_image_metadata_from_volume */
function volumeImage({ sizeGib, imageMetadata }: VolumeInfo): BootImage | undefined {
  const { min_ram: memory, min_disk: disk, ...others } = imageMetadata;
  return {
    info: {
      id: "",
      status: "active",
      sizeBytes: sizeGib * 1024 ** 3,
      minDiskGib: Number(disk ?? 0) || 0,
      minRamMib: Number(memory ?? 0) || 0,
    },
    // Its owner may have written anything there.
    properties: requireTyped(new Map(Object.entries(others).filter(([name]) => !ATTRIBUTES.has(name)))),
  };
}

/** What Block Storage keeps beside an image's properties. @source nova VIM_IMAGE_ATTRIBUTES */
const ATTRIBUTES: ReadonlySet<string> = new Set(
  "image_id image_name size checksum container_format disk_format".split(" "),
);

async function imageOf(parts: Parts, ctx: Call, imageId: string, field: string): Promise<AcceptedImage> {
  try {
    return await acceptImage(parts, ctx, imageId, "bootable");
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "IMAGE_NOT_FOUND")
      throw malformed(field, `failed to get image ${imageId}.`);
    throw error;
  }
}

/** A device whose source exists, is the caller's, and can be used; with its size. */
async function resolved(
  parts: Parts,
  ctx: Call,
  { device, field }: WantedDevice,
  {
    request,
    readImageId,
  }: { readonly request: CreateServersRequest; readonly readImageId: string | undefined },
): Promise<BlockDevice> {
  const { source, sourceId } = device;
  if (sourceId === undefined) return device;
  const at = field.startsWith("block_devices[") ? `${field}.source_id` : field;
  switch (source) {
    case IMAGE:
      // Volumes are made of it with the service's rights.
      if (sourceId !== readImageId && !(await findImage(parts, ctx, sourceId)))
        throw malformed(at, `failed to get image ${sourceId}.`);
      return device;
    case VOLUME: {
      const volume = await usableVolume(parts, ctx, sourceId, at, !request.withoutMultiattach);
      return { ...device, sourceId: volume.id, sizeGib: volume.sizeGib };
    }
    case SNAPSHOT: {
      const snapshot = await findSnapshot(parts, ctx, sourceId);
      if (snapshot === undefined) throw malformed(at, `failed to get snapshot ${sourceId}.`);
      return { ...device, sourceId: snapshot.id, sizeGib: device.sizeGib ?? snapshot.sizeGib };
    }
    default:
      return device;
  }
}

function requireDistinctVolumes(all: readonly WantedDevice[]): void {
  const seen = new Set<string>();
  for (const { device, field } of all) {
    const { source, sourceId = "" } = device;
    if (source !== VOLUME) continue;
    if (seen.has(sourceId.toLowerCase())) throw notReservable(`${field}.source_id`, sourceId, "reserved");
    seen.add(sourceId.toLowerCase());
  }
}
