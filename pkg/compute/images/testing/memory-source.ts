import { createHash } from "node:crypto";
import type { ImageFacts, ImageSource } from "../ports.js";

/** An Image service in memory; counts downloads, and can hold them back or break them. */
export class MemoryImageSource implements ImageSource {
  readonly #images = new Map<string, { facts: ImageFacts; data: Uint8Array }>();
  downloads = 0;
  /** Awaited before the second chunk of each download. */
  gate: () => Promise<void> = async () => {};

  add(id: string, data: Uint8Array, over: Partial<ImageFacts> = {}): void {
    const facts: ImageFacts = {
      id,
      status: "active",
      diskFormat: "raw",
      containerFormat: "bare",
      sizeBytes: data.length,
      checksum: createHash("md5").update(data).digest("hex"),
      hashAlgorithm: "sha512",
      hashValue: createHash("sha512").update(data).digest("hex"),
      ...over,
    };
    this.#images.set(id, { facts, data });
  }

  async get(_ctx: unknown, imageId: string): Promise<ImageFacts> {
    return this.#need(imageId).facts;
  }

  async *download(_ctx: unknown, imageId: string): AsyncIterable<Uint8Array> {
    this.downloads += 1;
    const { data } = this.#need(imageId);
    const half = Math.ceil(data.length / 2);
    yield data.subarray(0, half);
    await this.gate();
    if (half < data.length) yield data.subarray(half);
  }

  #need(imageId: string): { facts: ImageFacts; data: Uint8Array } {
    const image = this.#images.get(imageId);
    if (image === undefined) throw new Error(`no image ${imageId}`);
    return image;
  }
}
