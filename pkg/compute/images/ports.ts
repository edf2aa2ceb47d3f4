import type { Ctx } from "../../kernel/index.js";

/**
 * What the cache must know about an image before it downloads it. A Glance client's image info fits as it is.
 */
export interface ImageFacts {
  readonly id: string;
  /** `active` images have data; all others are refused. */
  readonly status: string;
  readonly diskFormat: string | undefined;
  readonly containerFormat: string | undefined;
  /** Of the data to download, bytes. */
  readonly sizeBytes: number | undefined;
  /** Hex md5. */
  readonly checksum: string | undefined;
  /** e.g. `sha512`; counts before the checksum. */
  readonly hashAlgorithm: string | undefined;
  /** Hex. */
  readonly hashValue: string | undefined;
}

/** Where images come from. */
export interface ImageSource {
  /** @throws an error of kind `missing` when there is no such image */
  get(ctx: Ctx, imageId: string): Promise<ImageFacts>;
  /** The data from its beginning; may fail at any chunk. */
  download(ctx: Ctx, imageId: string): AsyncIterable<Uint8Array>;
}
