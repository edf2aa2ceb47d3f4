import type { Express } from "express";
import type { Clock, Ctx, Ids, Logger } from "../../kernel/index.js";
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
import { clearLeftovers, sweepFiles } from "./ops/leftovers.js";
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
  /** Looks after what is left of others no more; the next start does. */
  close(): Promise<void>;
}

export interface ImageServiceOptions {
  readonly db: Database<ImageTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Holds the data; made when missing. One service per directory. */
  readonly directory: string;
  readonly limits: ImageConfig;
  readonly authenticate: Authenticate;
}

/** Puts the Image service together, after clearing away what a crash may have left of uploads. */
export async function buildImage(ctx: Ctx, options: ImageServiceOptions): Promise<ImageService> {
  const { db, clock, ids, log, directory, limits, authenticate } = options;
  const parts: ImageParts = {
    images: imageStore(db),
    members: memberStore(db),
    files: await dataFiles(directory, limits.imageSizeCap),
    limits,
    ledger: new UploadLedger({
      imageSizeTotalBytes: limits.imageSizeTotal < 0 ? -1 : limits.imageSizeTotal * 2 ** 20,
      imageCountUploading: limits.imageCountUploading,
    }),
    uploads: new Set(),
    turns: new Turns(),
    lanes: new Lanes(),
    clock,
    ids,
  };
  await parts.images.recover(ctx, clock.now());
  await sweepFiles(parts, ctx);
  const closing = new AbortController();
  const clearing = clearLeftovers(parts, { log, signal: closing.signal });
  return {
    parts,
    app: (appOptions) => imageApp(parts, appOptions, authenticate),
    close: async () => {
      closing.abort();
      await clearing;
    },
  };
}
