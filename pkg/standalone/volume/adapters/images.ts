import { KilonovaError, anonymous } from "../../../kernel/index.js";
import type { Actor, Ctx } from "../../../kernel/index.js";
import { imagesInProcess } from "../../image/index.js";
import type { ImageParts } from "../../image/index.js";
import { E } from "../errors.js";
import type { SourceImage, VolumeImages } from "../ports.js";

const service: Actor = { ...anonymous, kind: "service", roles: ["admin"] };

/** The Image service beside us in this process. */
export function imagesBeside(parts: ImageParts): VolumeImages {
  const images = imagesInProcess(parts);
  const found = async (ctx: Ctx, actor: Actor, id: string) => {
    try {
      return await images.get(ctx, actor, id);
    } catch (error) {
      if (error instanceof KilonovaError && error.kind === "missing")
        throw E.IMAGE_NOT_FOUND({ id }, { cause: error });
      throw error;
    }
  };
  return {
    get: async (ctx, actor, id) => {
      const image = await found(ctx, actor, id);
      return {
        id: image.id,
        active: image.status === "active",
        diskFormat: image.diskFormat,
        size: image.size,
        virtualSize: image.virtualSize,
        minDisk: image.minDisk,
        metadata: metadataOf(image),
      };
    },
    read: async (ctx, id) => images.data(await found(ctx, service, id)),
    create: (ctx, actor, image) => images.create(ctx, actor, image),
    discard: (ctx, id) => images.discard(ctx, id),
    upload: (ctx, id, size, data) => images.upload(ctx, id, { source: data, announced: size }),
  };
}

/** What volumes tell of the image that they were made of: all as text. */
function metadataOf(
  image: Awaited<ReturnType<ReturnType<typeof imagesInProcess>["get"]>>,
): SourceImage["metadata"] {
  const core = {
    image_id: image.id,
    image_name: image.name,
    checksum: image.checksum,
    container_format: image.containerFormat,
    disk_format: image.diskFormat,
    min_disk: image.minDisk,
    min_ram: image.minRam,
    size: image.size,
  };
  const told = Object.entries(core).flatMap(([key, value]) => (value === null ? [] : [[key, String(value)]]));
  return { ...image.properties, ...(Object.fromEntries(told) as Record<string, string>) };
}
