import type { Readable } from "node:stream";
import type { Actor, Ctx } from "../../../kernel/index.js";
import { KilonovaError, anonymous } from "../../../kernel/index.js";
import { readNewImage } from "../domain/attributes.js";
import type { Image } from "../domain/model.js";
import { canWrite } from "../domain/policy.js";
import { E } from "../errors.js";
import type { ImageParts } from "../ports.js";
import { newImage } from "./new-image.js";
import { uploadData } from "./upload.js";
import type { UploadedData } from "./upload.js";

const service: Actor = { ...anonymous, kind: "service", roles: ["admin"] };

/** The Image service for another service of this process, without HTTP. */
export interface ImagesInProcess {
  /** @throws IMAGE_NOT_FOUND when the actor may not see it */
  get(ctx: Ctx, actor: Actor, id: string): Promise<Image>;
  /** @throws WRONG_STATE when it has none */
  data(image: Image): Readable;
  /** A record of the actor's project, without data. @throws FORBIDDEN, OVER_LIMIT, INVALID */
  create(
    ctx: Ctx,
    actor: Actor,
    wish: {
      readonly name: string;
      readonly diskFormat: string;
      readonly containerFormat: string;
      readonly visibility: string;
      readonly protected: boolean;
      readonly properties: Readonly<Record<string, string>>;
    },
  ): Promise<string>;
  /** Takes away a record that has no data; nothing of one that has, or that is gone. */
  discard(ctx: Ctx, id: string): Promise<void>;
  /** Counts against the quota of the record's owner. @throws as `uploadData` */
  upload(ctx: Ctx, id: string, data: UploadedData): Promise<void>;
}

export function imagesInProcess(parts: ImageParts): ImagesInProcess {
  const { images, files, ids } = parts;
  return {
    get: (ctx, actor, id) => images.get(ctx, actor, id),
    data: ({ status, uploadId }) => {
      if (status !== "active" || uploadId === null) throw E.WRONG_STATE({ from: status, to: "active" });
      return files.read(uploadId);
    },
    create: async (ctx, actor, wish) => {
      if (!canWrite(actor)) throw E.FORBIDDEN({ action: "add_image" });
      const id = ids.uuid();
      const attributes = readNewImage(
        {
          ...wish.properties,
          name: wish.name,
          disk_format: wish.diskFormat,
          container_format: wish.containerFormat,
          visibility: wish.visibility,
          protected: wish.protected,
        },
        actor,
      );
      await newImage(parts, ctx, id, attributes);
      return id;
    },
    discard: async (ctx, id) => {
      try {
        await images.remove(ctx, service, id, ({ status }) => {
          if (status !== "queued") throw E.WRONG_STATE({ from: status, to: "deleted" });
        });
      } catch (error) {
        if (!(error instanceof KilonovaError) || !["missing", "refused"].includes(error.kind)) throw error;
      }
    },
    upload: (ctx, id, data) => uploadData(parts, { ...ctx, actor: service }, id, data),
  };
}
