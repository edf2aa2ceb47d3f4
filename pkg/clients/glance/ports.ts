import type { Ctx, Instant } from "../../kernel/index.js";

export type ImageStatus =
  | "queued"
  | "saving"
  | "uploading"
  | "importing"
  | "active"
  | "killed"
  | "deleted"
  | "pending_delete"
  | "deactivated";
export type ImageVisibility = "public" | "private" | "shared" | "community";

/** An image as Kilonova needs it. Sizes are bytes, `minDiskGib` GiB, `minRamMib` MiB. */
export interface ImageInfo {
  readonly id: string;
  readonly name: string;
  readonly status: ImageStatus;
  readonly visibility: ImageVisibility;
  readonly protected: boolean;
  readonly owner: string;
  /** Undefined until data was uploaded. */
  readonly sizeBytes: number | undefined;
  readonly virtualSizeBytes: number | undefined;
  readonly minDiskGib: number;
  readonly minRamMib: number;
  readonly diskFormat: string | undefined;
  readonly containerFormat: string | undefined;
  /** Hex md5, or undefined. */
  readonly checksum: string | undefined;
  readonly hashAlgorithm: string | undefined;
  readonly hashValue: string | undefined;
  readonly hidden: boolean;
  readonly tags: readonly string[];
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
  /**
   * Everything that is no base attribute: `hw_*`, `os_*`, `traits:*`, `block_device_mapping` (JSON in a
   * string) …
   */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * Whose rights a call uses: the given user's token, else the service's own (an admin: check visibility
 * yourself).
 */
export interface ImageCaller {
  readonly userToken?: string;
}

/** Filters of a list; all given ones must match. */
export interface ImageQuery {
  readonly ids?: readonly string[];
  readonly name?: string;
  readonly status?: ImageStatus;
  readonly visibility?: ImageVisibility | "all";
  readonly owner?: string;
  /** Exact matches on properties (`image_type: "snapshot"`). */
  readonly properties?: Readonly<Record<string, string>>;
  /** e.g. `created_at:desc,name:asc` */
  readonly sort?: string;
  /** At most this many in all, over any number of pages; default 10,000. */
  readonly limit?: number;
}

/** A new, still empty image. */
export interface CreateImage {
  /** Give one to make the call repeatable: a second one with the same id is IMAGE_EXISTS. */
  readonly id?: string;
  readonly name: string;
  readonly visibility?: ImageVisibility;
  readonly owner?: string;
  readonly diskFormat?: string;
  readonly containerFormat?: string;
  readonly minDiskGib?: number;
  readonly minRamMib?: number;
  readonly protected?: boolean;
  readonly tags?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

/** One change of an image; `path` is the attribute or property name, unescaped. */
export type ImageChange =
  | {
      readonly op: "set";
      readonly name: string;
      readonly value: string | number | boolean | readonly string[];
    }
  | { readonly op: "remove"; readonly name: string };

/** What Kilonova asks of the Image service. */
export interface Glance {
  /** @throws IMAGE_NOT_FOUND (missing) also for images the caller may not see */
  getImage(ctx: Ctx, id: string, caller?: ImageCaller): Promise<ImageInfo>;
  listImages(ctx: Ctx, query?: ImageQuery, caller?: ImageCaller): Promise<readonly ImageInfo[]>;
  /**
   * Streams the image's data; the last chunk is only given out once the hash of the whole matched.
   * @throws IMAGE_NO_DATA, IMAGE_CORRUPT, IMAGE_NOT_FOUND, IMAGE_FORBIDDEN (deactivated)
   */
  download(ctx: Ctx, id: string, caller?: ImageCaller): AsyncIterable<Uint8Array>;
  createImage(ctx: Ctx, image: CreateImage, caller?: ImageCaller): Promise<ImageInfo>;
  /**
   * Uploads the data of a queued image; ends with the image active. Not repeatable: a broken upload leaves it
   * queued.
   */
  upload(ctx: Ctx, id: string, data: AsyncIterable<Uint8Array>, caller?: ImageCaller): Promise<void>;
  updateImage(
    ctx: Ctx,
    id: string,
    changes: readonly ImageChange[],
    caller?: ImageCaller,
  ): Promise<ImageInfo>;
  /** Repeatable: an image that is gone counts as deleted. */
  deleteImage(ctx: Ctx, id: string, caller?: ImageCaller): Promise<void>;
  /** Lets another project see a shared image; repeatable. */
  addMember(ctx: Ctx, id: string, projectId: string, caller?: ImageCaller): Promise<void>;
}
