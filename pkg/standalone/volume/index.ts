import type { Express } from "express";
import type { Clock, Ctx, Ids, Logger } from "../../kernel/index.js";
import type { Database } from "../../platform/db/index.js";
import type { ImageParts } from "../image/index.js";
import type { Authenticate } from "../shared/auth.js";
import { volumeApp } from "./adapters/http/app.js";
import type { VolumeAppOptions } from "./adapters/http/app.js";
import { imagesBeside } from "./adapters/images.js";
import type { VolumeTables } from "./adapters/sql/tables.js";
import { volumeStorage } from "./adapters/storage/volume-storage.js";
import type { VolumeConfig } from "./config.js";
import type { VolumeEvent } from "./domain/volume-events.js";
import { recover, takeUpLost } from "./ops/recover.js";
import { Work } from "./ops/work.js";
import type { CagedPrograms, VolumeParts } from "./ports.js";

export { volumeConfig } from "./config.js";
export type { VolumeConfig } from "./config.js";
export type { VolumeTables } from "./adapters/sql/tables.js";
export type { VolumeEvent } from "./domain/volume-events.js";
export type { CagedPrograms, VolumeParts } from "./ports.js";

/** A running Block Storage service without its socket. */
export interface VolumeService {
  readonly parts: VolumeParts;
  app(options: VolumeAppOptions): Express;
  /** Cuts off the work under way, which the next start takes up. What is served goes on being served. */
  close(): Promise<void>;
}

export interface VolumeServiceOptions {
  readonly db: Database<VolumeTables>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  /** Holds the data; made when missing. One service per directory. */
  readonly directory: string;
  readonly limits: VolumeConfig;
  readonly programs: CagedPrograms;
  readonly image: ImageParts;
  readonly authenticate: Authenticate;
  /** Where `volume-extended` and its kin go; nowhere by default. */
  readonly onVolumeEvents?: (ctx: Ctx, events: readonly VolumeEvent[]) => Promise<void>;
}

/**
 * Puts the Block Storage service together: what is connected is served, and what was cut off goes on, before
 * it answers.
 */
export async function buildVolume(ctx: Ctx, options: VolumeServiceOptions): Promise<VolumeService> {
  const { db, clock, ids, log, directory, limits, programs, image, authenticate } = options;
  const work = new Work({ atOnce: limits.copiesAtOnce, waiting: limits.copiesWaiting, ids, log });
  const parts: VolumeParts = {
    db,
    clock,
    ids,
    limits,
    storage: volumeStorage({ directory, programs, log }),
    images: imagesBeside(image),
    work,
    onVolumeEvents: options.onVolumeEvents ?? (async () => {}),
  };
  await recover(parts, ctx);
  const closing = new AbortController();
  const takingUp = takeUpLost(parts, { log, signal: closing.signal });
  return {
    parts,
    app: (appOptions) => volumeApp(parts, appOptions, authenticate),
    close: async () => {
      closing.abort();
      await Promise.all([takingUp, work.close()]);
      parts.storage.close();
    },
  };
}
