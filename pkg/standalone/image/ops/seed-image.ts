import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Ctx } from "../../../kernel/index.js";
import { anonymous } from "../../../kernel/index.js";
import { readNewImage } from "../domain/attributes.js";
import type { Image } from "../domain/model.js";
import { readListQuery } from "../domain/query.js";
import type { ImageParts } from "../ports.js";
import { unlimited } from "./admission.js";
import { uploadData } from "./upload.js";

/** A public image from a file. */
export interface SeedImage {
  readonly name: string;
  readonly path: string;
  readonly diskFormat: "raw" | "qcow2" | "iso" | "vmdk" | "ami" | "aki" | "ari";
  readonly projectId: string;
  /** GiB and MiB; default 0. */
  readonly minDisk?: number;
  readonly minRam?: number;
  readonly properties?: Readonly<Record<string, string>>;
}

/** Remembers which file an image was made from; size and time stand for its content. */
const SOURCE = "kilonova_source";

/**
 * Uploads a file as a public image. Repeatable: the same file again costs one query and one stat; a changed
 * file replaces the image under its name.
 * @returns the image's id
 * @throws when the file cannot be read
 */
export async function seedImage(parts: ImageParts, ctx: Ctx, seed: SeedImage): Promise<string> {
  const { images, files, clock, ids } = parts;
  const asAdmin: Ctx = {
    ...ctx,
    actor: { ...anonymous, kind: "user", projectId: seed.projectId, roles: ["admin"] },
  };
  const { size, mtimeMs } = await stat(seed.path);
  const source = `${size}:${Math.floor(mtimeMs)}`;
  const sameName = await images.list(
    asAdmin,
    asAdmin.actor,
    readListQuery(
      new Map([
        ["name", [seed.name]],
        ["owner", [seed.projectId]],
        ["limit", ["1000"]],
      ]),
    ),
  );
  const current = sameName.find((image) => image.properties[SOURCE] === source && image.status === "active");
  if (current) return current.id;
  const id = ids.uuid();
  await images.insert(
    asAdmin,
    id,
    readNewImage(
      {
        name: seed.name,
        visibility: "public",
        disk_format: seed.diskFormat,
        container_format: "bare",
        min_disk: seed.minDisk ?? 0,
        min_ram: seed.minRam ?? 0,
        ...seed.properties,
        [SOURCE]: source,
      },
      asAdmin.actor,
    ),
    clock.now(),
  );
  await uploadData(parts, asAdmin, id, { source: createReadStream(seed.path), announced: size }, unlimited);
  for (const image of sameName.filter(isSeed)) {
    const gone = await images.remove(asAdmin, asAdmin.actor, image.id, () => {});
    if (gone.uploadId !== null) await files.remove(gone.uploadId);
  }
  return id;
}

/** Only what a seed made is replaced: an image of the same name that somebody else made stays. */
const isSeed = (image: Image): boolean => SOURCE in image.properties;
