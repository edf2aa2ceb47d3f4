import type { Express } from "express";
import type { Clock, Ctx, Ids } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import type { Authenticate } from "../shared/auth.js";
import { dataFiles } from "./adapters/files/data-files.js";
import { imageApp } from "./adapters/http/app.js";
import type { ImageAppOptions } from "./adapters/http/app.js";
import { imageStore } from "./adapters/sql/images.js";
import { memberStore } from "./adapters/sql/members.js";
import type { ImageTables } from "./adapters/sql/tables.js";
import type { ImageConfig } from "./config.js";
import { UploadLedger } from "./domain/upload-ledger.js";
import { Lanes } from "./ops/lanes.js";
import { Turns } from "./ops/turns.js";
import type { ImageParts } from "./ports.js";

export { imageConfig } from "./config.js";
export type { ImageConfig } from "./config.js";
export type { ImageTables } from "./adapters/sql/tables.js";
export type { ImageParts } from "./ports.js";
export { seedImage } from "./ops/seed-image.js";
export type { SeedImage } from "./ops/seed-image.js";
export { imagesInProcess } from "./ops/in-process.js";
export type { ImagesInProcess } from "./ops/in-process.js";

/** A running Image service without its socket. */
export interface ImageService {
  readonly parts: ImageParts;
  app(options: ImageAppOptions): Express;
}

export interface ImageServiceOptions {
  readonly db: Database<ImageTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Holds the data; made when missing. One service per directory. */
  readonly directory: string;
  readonly limits: ImageConfig;
  readonly authenticate: Authenticate;
}

/** Puts the Image service together, after clearing away what a crash may have left of uploads. */
export async function buildImage(ctx: Ctx, options: ImageServiceOptions): Promise<ImageService> {
  const { db, clock, ids, directory, limits, authenticate } = options;
  const parts: ImageParts = {
    images: imageStore(db),
    members: memberStore(db),
    files: await dataFiles(directory, limits.imageSizeCap),
    limits,
    ledger: new UploadLedger({
      imageSizeTotalBytes: limits.imageSizeTotal < 0 ? -1 : limits.imageSizeTotal * 2 ** 20,
      imageCountUploading: limits.imageCountUploading,
    }),
    turns: new Turns(),
    lanes: new Lanes(),
    clock,
    ids,
  };
  await parts.files.sweep(await parts.images.recover(ctx, clock.now()));
  return { parts, app: (appOptions) => imageApp(parts, appOptions, authenticate) };
}
