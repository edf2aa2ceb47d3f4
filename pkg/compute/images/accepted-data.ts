import { ImageErrors } from "./errors.js";
import type { ImageFacts } from "./ports.js";

/**
 * What an image's data was when the server was accepted; empty texts where the Image service told nothing.
 */
export interface AcceptedData {
  readonly sizeBytes: bigint;
  readonly checksum: string;
  readonly osHashAlgo: string;
  readonly osHashValue: string;
}

/**
 * Makes sure that an image still has the data it had when its use was allowed: data never changes under an
 * id, so another hash is another image.
 * @throws IMAGE_REPLACED
 */
export function requireSameData(facts: ImageFacts, accepted: AcceptedData): void {
  const differs = (before: string, now: string | undefined): boolean =>
    before !== "" && before !== (now ?? "");
  if (
    differs(accepted.checksum, facts.checksum) ||
    differs(accepted.osHashAlgo, facts.hashAlgorithm) ||
    differs(accepted.osHashValue, facts.hashValue) ||
    (accepted.sizeBytes > 0n && accepted.sizeBytes !== BigInt(facts.sizeBytes ?? 0))
  )
    throw ImageErrors.IMAGE_REPLACED({ imageId: facts.id });
}
