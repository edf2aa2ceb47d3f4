import { randomUUID } from "node:crypto";
import { GlanceErrors } from "../errors.js";
import type { Glance, ImageInfo } from "../ports.js";

/** Images in memory; everybody sees all of them. */
export interface FakeGlance extends Glance {
  /** Puts an image in, active unless said otherwise. */
  add(image?: Partial<ImageInfo>, data?: Uint8Array): ImageInfo;
  readonly images: ReadonlyMap<string, ImageInfo>;
  /** While true, every call throws IMAGE_UNAVAILABLE. */
  down: boolean;
}

const SOME_DAY = 1_700_000_000_000_000n;
const CHUNK = 65_536;

export function fakeGlance(): FakeGlance {
  const images = new Map<string, ImageInfo>();
  const contents = new Map<string, Uint8Array>();
  const used = new Set<string>();
  let made = 0;
  const need = (id: string): ImageInfo => {
    if (fake.down) throw GlanceErrors.IMAGE_UNAVAILABLE({});
    const image = images.get(id);
    if (!image) throw GlanceErrors.IMAGE_NOT_FOUND({ id });
    return image;
  };
  const fake: FakeGlance = {
    images,
    down: false,
    add: (image = {}, data) => {
      const full: ImageInfo = {
        id: randomUUID(),
        name: "image",
        status: "active",
        visibility: "public",
        protected: false,
        owner: "project-id",
        sizeBytes: data?.byteLength ?? 1_048_576,
        virtualSizeBytes: undefined,
        minDiskGib: 0,
        minRamMib: 0,
        diskFormat: "qcow2",
        containerFormat: "bare",
        checksum: undefined,
        hashAlgorithm: undefined,
        hashValue: undefined,
        hidden: false,
        tags: [],
        createdAt: SOME_DAY,
        updatedAt: SOME_DAY,
        properties: {},
        ...image,
      };
      images.set(full.id, full);
      used.add(full.id);
      if (data) contents.set(full.id, data);
      return full;
    },
    getImage: async (_ctx, id) => need(id),
    listImages: async (_ctx, query = {}) => {
      if (fake.down) throw GlanceErrors.IMAGE_UNAVAILABLE({});
      const matching = [...images.values()].filter(
        (image) =>
          (query.ids === undefined || query.ids.includes(image.id)) &&
          (query.name === undefined || query.name === image.name) &&
          (query.status === undefined || query.status === image.status) &&
          (query.owner === undefined || query.owner === image.owner) &&
          (query.visibility === undefined ||
            query.visibility === "all" ||
            query.visibility === image.visibility) &&
          Object.entries(query.properties ?? {}).every(([name, value]) => image.properties[name] === value),
      );
      if (query.sort === "created_at:desc") matching.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
      return matching.slice(0, query.limit);
    },
    download: async function* (_ctx, id) {
      need(id);
      const data = contents.get(id);
      if (!data) throw GlanceErrors.IMAGE_NO_DATA({ id });
      for (let at = 0; at < data.byteLength; at += CHUNK) yield data.subarray(at, at + CHUNK);
    },
    createImage: async (_ctx, image) => {
      if (fake.down) throw GlanceErrors.IMAGE_UNAVAILABLE({});
      // Also of deleted images: no id is given twice.
      if (image.id !== undefined && used.has(image.id)) throw GlanceErrors.IMAGE_EXISTS({ id: image.id });
      const { properties = {}, tags = [], ...rest } = image;
      return fake.add({
        ...rest,
        diskFormat: image.diskFormat,
        containerFormat: image.containerFormat,
        visibility: image.visibility ?? "shared",
        properties: { ...properties },
        tags: [...tags],
        status: "queued",
        sizeBytes: undefined,
        createdAt: SOME_DAY + BigInt(++made),
      });
    },
    upload: async (_ctx, id, data) => {
      const image = need(id);
      if (image.status !== "queued") throw GlanceErrors.IMAGE_CONFLICT({ id });
      const parts: Uint8Array[] = [];
      for await (const part of data) parts.push(part);
      const all = Buffer.concat(parts);
      contents.set(id, all);
      images.set(id, { ...image, status: "active", sizeBytes: all.byteLength });
    },
    updateImage: async (_ctx, id, changes) => {
      let image = need(id);
      for (const change of changes) {
        const properties = { ...image.properties };
        delete properties[change.name];
        if (change.op === "set" && change.name === "name") image = { ...image, name: String(change.value) };
        else if (change.op === "set" && change.name === "protected")
          image = { ...image, protected: change.value === true };
        else if (change.op === "set" && change.name === "min_disk")
          image = { ...image, minDiskGib: Number(change.value) };
        else if (change.op === "set" && change.name === "disk_format")
          image = { ...image, diskFormat: String(change.value) };
        else if (change.op === "set" && change.name === "container_format")
          image = { ...image, containerFormat: String(change.value) };
        else
          image = {
            ...image,
            properties:
              change.op === "set" ? { ...properties, [change.name]: String(change.value) } : properties,
          };
      }
      images.set(id, image);
      return image;
    },
    deleteImage: async (_ctx, id) => {
      if (fake.down) throw GlanceErrors.IMAGE_UNAVAILABLE({});
      if (images.get(id)?.protected) throw GlanceErrors.IMAGE_FORBIDDEN({ id });
      images.delete(id);
      contents.delete(id);
    },
    addMember: async (_ctx, id) => {
      need(id);
    },
  };
  return fake;
}
