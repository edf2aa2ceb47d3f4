import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { ImageRef, ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import { isVolumeBacked } from "../../model/boot-devices.js";
import type { ImagesInstead } from "../commands/command.js";
import type { Driver, ImagePhase, PreparedImage, Tell } from "../driver.js";
import { untold } from "../driver.js";
import { AgentErrors } from "../errors.js";
import type { PreparedKernel } from "./instance-guest.js";
import type { Images } from "./ports.js";

type GuestImages = Partial<Pick<ServerSpec, "image" | "kernel" | "ramdisk">>;

/** Which images a guest's own disks are made of: its root disk may be a volume. */
export const imagesOf = (spec: ServerSpec | undefined): GuestImages =>
  spec !== undefined && isVolumeBacked(spec) ? { ...spec, image: undefined } : (spec ?? {});

/** How it is said that what was accepted cannot be had any more, now or later. */
const GONE: ReadonlySet<string> = new Set(["IMAGE_NOT_FOUND", "IMAGE_NOT_ACTIVE", "IMAGE_REPLACED"]);

/**
 * Fetches what was resolved when the server was accepted, and nothing that a property names.
 * @param tell     of the root image; kernels and ramdisks are small, and come at the same time
 * @param instead  stands for what cannot be had any more
 */
export async function prepareImages(
  ctx: Ctx,
  images: Pick<Images, "prepare">,
  wanted: GuestImages,
  tell: Tell<ImagePhase>,
  instead: ImagesInstead = {},
): Promise<[PreparedImage | undefined, PreparedKernel | undefined]> {
  const prepare = async (
    image: ImageRef,
    offered: PreparedImage | undefined,
    told: Tell<ImagePhase> = untold,
  ): Promise<PreparedImage> => {
    try {
      return await images.prepare(ctx, image, told);
    } catch (error) {
      const isGone = error instanceof KilonovaError && GONE.has(error.reason);
      if (offered === undefined || !isGone) throw error;
      return offered;
    }
  };
  const [root, kernel, ramdisk] = await Promise.all([
    wanted.image && prepare(wanted.image, instead.image, tell),
    wanted.kernel && prepare(wanted.kernel, instead.kernel),
    wanted.ramdisk && prepare(wanted.ramdisk, instead.ramdisk),
  ]);
  return [root, kernel && { kernel, ramdisk }];
}

/**
 * Fetches again what a guest's disks stand on, when somebody has removed it from the cache: from the same
 * image, with the hash that was accepted, to the same place. Guests that run do not notice the loss.
 * @param anew  whether a guest that is up is started anew, too
 * @throws BASE_IMAGE_LOST when it is still missing then; what fetching throws: IMAGE_REPLACED when the image
 *   has other data by now
 * @cost a look at the files while nothing is missing
 */
export async function restoreImages(
  ctx: Ctx,
  {
    driver,
    images,
  }: { readonly driver: Pick<Driver, "missingImages" | "inspect">; readonly images: Pick<Images, "prepare"> },
  instance: InstanceRecord,
  anew?: "anew",
): Promise<void> {
  const serverId = instance.server?.id ?? "";
  const missing = (await driver.missingImages?.(ctx, serverId)) ?? [];
  if (missing.length === 0) return;
  const guest = await driver.inspect(ctx, serverId);
  if (anew === undefined && (guest?.powerState === "RUNNING" || guest?.powerState === "PAUSED")) return;
  ctx.log.warn("agent.images.lost", { instanceUuid: serverId, files: missing });
  await prepareImages(ctx, images, imagesOf(instance.spec), untold);
  const [file] = (await driver.missingImages?.(ctx, serverId)) ?? [];
  if (file !== undefined) throw AgentErrors.BASE_IMAGE_LOST({ serverId, file });
}
