import { createHash } from "node:crypto";

/** A hash that the whole of some data must have. */
export interface ExpectedHash {
  readonly algorithm: string;
  readonly hex: string;
}

const KNOWN = new Set(["md5", "sha1", "sha256", "sha384", "sha512"]);

/** Prefers the strong hash; undefined when there is none that we can compute. */
export function expectedHash(image: {
  readonly hashAlgorithm: string | undefined;
  readonly hashValue: string | undefined;
  readonly checksum: string | undefined;
}): ExpectedHash | undefined {
  if (image.hashAlgorithm !== undefined && image.hashValue !== undefined && KNOWN.has(image.hashAlgorithm))
    return { algorithm: image.hashAlgorithm, hex: image.hashValue };
  return image.checksum === undefined ? undefined : { algorithm: "md5", hex: image.checksum };
}

/**
 * Passes data on while hashing it. The last chunk is held back until the hash of everything matched, so
 * nobody can take damaged data for a complete image.
 * @throws what `mismatch` makes
 */
export async function* verified(
  source: AsyncIterable<Uint8Array>,
  expected: ExpectedHash | undefined,
  mismatch: () => Error,
): AsyncGenerator<Uint8Array> {
  if (expected === undefined) return yield* source;
  const hash = createHash(expected.algorithm);
  let held: Uint8Array | undefined;
  for await (const chunk of source) {
    if (held !== undefined) yield held;
    hash.update(chunk);
    held = chunk;
  }
  if (hash.digest("hex") !== expected.hex.toLowerCase()) throw mismatch();
  if (held !== undefined) yield held;
}
