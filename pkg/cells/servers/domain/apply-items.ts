import type { MetadataChange, TagsChange } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { CellsErrors } from "../../errors.js";

/**
 * Metadata after a change.
 * @returns `before` itself when nothing is different
 * @throws METADATA_ITEM_NOT_FOUND for a key to remove that is not there, TOO_MANY_METADATA_ITEMS
 */
export function changedMetadata(before: Map<string, string>, change: MetadataChange): Map<string, string> {
  for (const key of change.remove) if (!before.has(key)) throw CellsErrors.METADATA_ITEM_NOT_FOUND({ key });
  const kept = change.replaceAll ? [] : [...before].filter(([key]) => !change.remove.includes(key));
  const after = new Map([...kept, ...change.set]);
  if (change.maxItems >= 0n && BigInt(after.size) > change.maxItems && after.size > before.size)
    throw CellsErrors.TOO_MANY_METADATA_ITEMS({ limit: change.maxItems });
  return after.size === before.size && [...after].every(([key, value]) => before.get(key) === value)
    ? before
    : after;
}

/**
 * Tags after a change, sorted.
 * @returns `before` itself when nothing is different
 * @throws TAG_NOT_FOUND for a tag to remove that is not there, TOO_MANY_TAGS
 */
export function changedTags(server: string, before: string[], change: TagsChange): string[] {
  for (const tag of change.remove)
    if (!before.includes(tag)) throw CellsErrors.TAG_NOT_FOUND({ server, tag });
  const kept = change.replaceAll ? [] : before.filter((tag) => !change.remove.includes(tag));
  const after = [...new Set([...kept, ...change.add])].sort();
  if (after.length > change.maxTags && after.length > before.length)
    throw CellsErrors.TOO_MANY_TAGS({ limit: change.maxTags });
  return after.length === before.length && after.every((tag) => before.includes(tag)) ? before : after;
}
