import type { InjectedFile } from "../../../gen/kilonova/type/v1/server_spec.js";
import { CreateErrors } from "../errors.js";
import type { Quota } from "./affordable.js";

/** By Nova's resource name; an absent one is unlimited. */
export type Limits = ReadonlyMap<string, Pick<Quota, "limit">>;

const exceeds = (limits: Limits, resource: string, amount: number): bigint | undefined => {
  const limit = limits.get(resource)?.limit ?? -1n;
  return limit >= 0n && BigInt(amount) > limit ? limit : undefined;
};

/** @throws TOO_MANY_METADATA_ITEMS */
export function requireMetadataLimit(items: number, limits: Limits): void {
  const limit = exceeds(limits, "metadata_items", items);
  if (limit !== undefined) throw CreateErrors.TOO_MANY_METADATA_ITEMS({ limit });
}

/** @throws TOO_MANY_FILES, FILE_PATH_TOO_LONG, FILE_TOO_LONG */
export function requireFileLimits(files: readonly InjectedFile[], limits: Limits): void {
  const count = exceeds(limits, "injected_files", files.length);
  if (count !== undefined) throw CreateErrors.TOO_MANY_FILES({ limit: count });
  for (const { path, contents } of files) {
    const pathLimit = exceeds(limits, "injected_file_path_bytes", Buffer.byteLength(path));
    if (pathLimit !== undefined) throw CreateErrors.FILE_PATH_TOO_LONG({ limit: pathLimit });
    const contentLimit = exceeds(limits, "injected_file_content_bytes", contents.length);
    if (contentLimit !== undefined) throw CreateErrors.FILE_TOO_LONG({ limit: contentLimit });
  }
}
