import type { ImageInfo } from "../../clients/glance/ports.js";
import { KilonovaError, parseUuid } from "../../kernel/index.js";
import { readImageProperties } from "../../model/image-properties.js";
import { malformed } from "../domain/block-devices.js";
import { mayUseImage } from "../domain/image-fit.js";
import { CreateErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/**
 * An image and everything that it names, all of it visible to the caller. What is stored of it is what agents
 * fetch later: nobody reads ids out of properties after this.
 */
export interface AcceptedImage {
  readonly info: ImageInfo;
  /** Present names, canonical values. */
  readonly properties: ReadonlyMap<string, string>;
  readonly kernel: ImageInfo | undefined;
  readonly ramdisk: ImageInfo | undefined;
}

/** `disk`: it becomes a disk by itself. `bootable`: it may bring devices along, which the caller judges. */
export type ImageUse = "disk" | "bootable";

/** Images of servers on volumes name volumes there. */
const bringsDevices = (properties: ReadonlyMap<string, string>): boolean =>
  (JSON.parse(properties.get("img_block_device_mapping") || "[]") as readonly unknown[]).length > 0;

/** Said by images that boot by their own loader, whatever else they say. */
const NO_KERNEL = "nokernel";

/**
 * Reads an image, judges its properties and resolves the images that it names, with the caller's rights.
 * @throws IMAGE_NOT_FOUND, IMAGE_NOT_ACTIVE for kernel and ramdisk, BAD_IMAGE_PROPERTIES, IMAGE_UNACCEPTABLE,
 *   BAD_BLOCK_DEVICES
 */
export async function acceptImage(
  parts: Parts,
  ctx: Call,
  imageId: string,
  use: ImageUse = "disk",
): Promise<AcceptedImage> {
  const info = await visibleImage(parts, ctx, imageId);
  const properties = requireProperties(info);
  if (use === "disk" && bringsDevices(properties))
    throw malformed("image_id", "the image's own block device mapping is not supported here.");
  const kernelId = properties.get("kernel_id") ?? "";
  const ramdiskId = kernelId === NO_KERNEL ? "" : (properties.get("ramdisk_id") ?? "");
  const [kernel, ramdisk] = await Promise.all([
    bootPart(parts, ctx, kernelId === NO_KERNEL ? "" : kernelId),
    bootPart(parts, ctx, ramdiskId),
  ]);
  return { info, properties, kernel, ramdisk };
}

function requireProperties(image: ImageInfo): ReadonlyMap<string, string> {
  const properties = requireTyped(new Map(Object.entries(image.properties)));
  if (properties.has("cinder_encryption_key_id")) throw CreateErrors.IMAGE_UNACCEPTABLE({ image: image.id });
  return properties;
}

/** Properties in canonical form, each of which says what its type wants. @throws BAD_IMAGE_PROPERTIES */
export function requireTyped(raw: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const { properties, bad } = readImageProperties(raw);
  const [first] = bad;
  if (first !== undefined)
    throw CreateErrors.BAD_IMAGE_PROPERTIES({
      property: first.name,
      value: first.value.slice(0, 100),
      wanted: first.wanted,
    });
  return properties;
}

/** Kernel or ramdisk; the service's own rights fetch it later, so the caller's must see it now. */
async function bootPart(parts: Parts, ctx: Call, id: string): Promise<ImageInfo | undefined> {
  if (id === "") return undefined;
  const image = await visibleImage(parts, ctx, parseUuid(id) ?? id);
  if (image.status !== "active") throw CreateErrors.IMAGE_NOT_ACTIVE({ image: image.id });
  return image;
}

async function visibleImage(parts: Parts, ctx: Call, imageId: string): Promise<ImageInfo> {
  const image = await findImage(parts, ctx, imageId);
  if (image === undefined) throw CreateErrors.IMAGE_NOT_FOUND({ image: imageId });
  return image;
}

/** An image that the caller may use; undefined when there is none that he sees. */
export async function findImage(parts: Parts, ctx: Call, imageId: string): Promise<ImageInfo | undefined> {
  try {
    const image = await parts.glance.getImage(ctx, imageId);
    return mayUseImage(image, ctx.actor.projectId, ctx.rights.isAdmin) ? image : undefined;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return undefined;
    throw error;
  }
}
