import { createHash, getHashes } from "node:crypto";
import { open } from "node:fs/promises";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import type { ImagePhase, Tell } from "../driver.js";
import { ImageErrors } from "./errors.js";
import { HEAD_BYTES } from "./formats/view.js";
import type { ImageView } from "./formats/view.js";
import type { ImageFacts, ImageSource } from "./ports.js";
import { SparseWriter } from "./sparse-writer.js";

/** Where the data goes. */
export interface Download {
  readonly path: string;
  readonly maxBytes: number;
  readonly tell: Tell<ImagePhase>;
}

/**
 * Brings an image's data into a new file and makes sure that it is what the Image service says it is.
 * @throws IMAGE_DAMAGED, IMAGE_UNAVAILABLE, IMAGE_REFUSED (TOO_LARGE); the file may be left half written
 */
export async function downloadImage(
  ctx: Ctx,
  source: ImageSource,
  facts: ImageFacts,
  { path, maxBytes, tell }: Download,
): Promise<void> {
  if ((facts.sizeBytes ?? 0) > maxBytes) throw tooMuch(facts, maxBytes);
  const expected = expectedHash(facts);
  const hash = expected && createHash(expected.algorithm);
  const file = await open(path, "wx", 0o600);
  try {
    const writer = new SparseWriter(file);
    for await (const chunk of orUnavailable(source.download(ctx, facts.id), facts.id)) {
      ctx.signal.throwIfAborted();
      if (writer.sizeBytes + chunk.length > Math.min(maxBytes, facts.sizeBytes ?? Infinity))
        throw tooMuch(facts, maxBytes);
      hash?.update(chunk);
      await writer.write(chunk);
      tell({ phase: "image_download", done: writer.sizeBytes, total: facts.sizeBytes ?? 0 });
    }
    await writer.finish();
    if (facts.sizeBytes !== undefined && writer.sizeBytes !== facts.sizeBytes)
      throw ImageErrors.IMAGE_DAMAGED({ imageId: facts.id });
    if (hash && hash.digest("hex") !== expected?.hex) throw ImageErrors.IMAGE_DAMAGED({ imageId: facts.id });
    await file.sync();
  } finally {
    await file.close();
  }
}

function tooMuch(facts: ImageFacts, maxBytes: number): KilonovaError {
  if (facts.sizeBytes !== undefined && facts.sizeBytes <= maxBytes)
    return ImageErrors.IMAGE_DAMAGED({ imageId: facts.id });
  return ImageErrors.IMAGE_REFUSED({
    imageId: facts.id,
    reasons: "TOO_LARGE",
    detail: `it is larger than ${maxBytes} bytes`,
  });
}

/** The strongest hash that the service gives and this host can compute; nothing when it gives none. */
export function expectedHash(
  facts: ImageFacts,
): { readonly algorithm: string; readonly hex: string } | undefined {
  const { hashAlgorithm, hashValue, checksum } = facts;
  if (hashAlgorithm && hashValue && getHashes().includes(hashAlgorithm))
    return { algorithm: hashAlgorithm, hex: hashValue.toLowerCase() };
  return checksum ? { algorithm: "md5", hex: checksum.toLowerCase() } : undefined;
}

async function* orUnavailable(chunks: AsyncIterable<Uint8Array>, imageId: string): AsyncIterable<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (error instanceof KilonovaError) throw error;
    throw ImageErrors.IMAGE_UNAVAILABLE({ imageId }, { cause: error });
  }
}

/** Reads the parts of a file that the inspection looks at. */
export async function viewOf(path: string): Promise<ImageView> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const read = async (at: number, length: number): Promise<Uint8Array> => {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, at);
      return buffer.subarray(0, bytesRead);
    };
    const tailBytes = Math.min(size, 512);
    return {
      head: await read(0, Math.min(size, HEAD_BYTES)),
      tail: await read(size - tailBytes, tailBytes),
      sizeBytes: size,
    };
  } finally {
    await file.close();
  }
}
