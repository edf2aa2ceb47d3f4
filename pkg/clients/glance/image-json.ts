import { z } from "zod";
import { parseIso } from "../../kernel/index.js";
import { GlanceErrors } from "./errors.js";
import type { CreateImage, ImageChange, ImageInfo } from "./ports.js";

const statuses = [
  "queued",
  "saving",
  "uploading",
  "importing",
  "active",
  "killed",
  "deleted",
  "pending_delete",
  "deactivated",
] as const;
const imageBody = z.looseObject({
  id: z.string(),
  name: z.string().nullish(),
  status: z.enum(statuses),
  visibility: z.enum(["public", "private", "shared", "community"]),
  protected: z.boolean().default(false),
  owner: z.string().nullish(),
  size: z.number().nullish(),
  virtual_size: z.number().nullish(),
  min_disk: z.number().nullish(),
  min_ram: z.number().nullish(),
  disk_format: z.string().nullish(),
  container_format: z.string().nullish(),
  checksum: z.string().nullish(),
  os_hash_algo: z.string().nullish(),
  os_hash_value: z.string().nullish(),
  os_hidden: z.boolean().default(false),
  tags: z.array(z.string()).default([]),
  created_at: z.string(),
  updated_at: z.string(),
});

/** What an answer has besides properties. */
const BASE = new Set([
  ...Object.keys(imageBody.shape),
  "self",
  "file",
  "schema",
  "locations",
  "direct_url",
  "stores",
]);

/** Reads an image. @throws UNEXPECTED_ANSWER */
export function readImage(json: unknown): ImageInfo {
  const parsed = imageBody.safeParse(json);
  const createdAt = parsed.success ? parseIso(parsed.data.created_at) : undefined;
  const updatedAt = parsed.success ? parseIso(parsed.data.updated_at) : undefined;
  if (!parsed.success || createdAt === undefined || updatedAt === undefined)
    throw GlanceErrors.UNEXPECTED_ANSWER({}, { cause: parsed.error });
  const image = parsed.data;
  return {
    id: image.id,
    name: image.name ?? "",
    status: image.status,
    visibility: image.visibility,
    protected: image.protected,
    owner: image.owner ?? "",
    sizeBytes: image.size ?? undefined,
    virtualSizeBytes: image.virtual_size ?? undefined,
    minDiskGib: image.min_disk ?? 0,
    minRamMib: image.min_ram ?? 0,
    diskFormat: image.disk_format ?? undefined,
    containerFormat: image.container_format ?? undefined,
    checksum: image.checksum ?? undefined,
    hashAlgorithm: image.os_hash_algo ?? undefined,
    hashValue: image.os_hash_value ?? undefined,
    hidden: image.os_hidden,
    tags: image.tags,
    createdAt,
    updatedAt,
    properties: readProperties(image),
  };
}

/** Properties are strings; what is null is as good as absent. */
function readProperties(image: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(image).flatMap(([name, value]) =>
      BASE.has(name) || value === null || value === undefined
        ? []
        : [[name, typeof value === "string" ? value : JSON.stringify(value)]],
    ),
  );
}

/** The body of a creation. */
export const createJson = (image: CreateImage): Readonly<Record<string, unknown>> => ({
  ...image.properties,
  name: image.name,
  ...defined({
    id: image.id,
    visibility: image.visibility,
    owner: image.owner,
    disk_format: image.diskFormat,
    container_format: image.containerFormat,
    min_disk: image.minDiskGib,
    min_ram: image.minRamMib,
    protected: image.protected,
    tags: image.tags,
  }),
});

const defined = (values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

/** The body of a PATCH. `add` replaces what is there and adds what is not. */
export const patchJson = (changes: readonly ImageChange[]): readonly unknown[] =>
  changes.map((change) => {
    const path = `/${change.name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return change.op === "remove" ? { op: "remove", path } : { op: "add", path, value: change.value };
  });
