import type { OperationPlace, StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import type { Instant } from "../../kernel/index.js";
import { parseOperationName } from "../../model/operation-name.js";
import { fromTimestamp } from "../../model/wire-time.js";

/** A place in the list, which is sorted newest first, those of one instant by descending id. */
export interface Place {
  readonly at: Instant;
  readonly id: string;
}

/** What one database has of the list: everything down to `searchedTo`, or to the end when that is unset. */
export interface OperationPage {
  readonly operations: readonly StoredOperation[];
  readonly searchedTo: OperationPlace | undefined;
}

export const placeOf = ({ name, createdAt }: StoredOperation): Place => ({
  at: createdAt === undefined ? 0n : fromTimestamp(createdAt),
  id: parseOperationName(name)?.operationId ?? name,
});

/**
 * Merges what the databases have into one page. An operation that two of them show, because it is just
 * moving, counts once, at its highest generation. Nothing is shown beyond a place up to which one of them has
 * not searched: what it has there comes with the next page.
 * @returns with `next`: the place after which the next page begins; undefined on the last one
 */
export function mergeOperations(
  pages: readonly OperationPage[],
  limit: number,
): { readonly operations: readonly StoredOperation[]; readonly next: Place | undefined } {
  const edge = pages
    .flatMap(({ searchedTo }) => (searchedTo === undefined ? [] : [atPlace(searchedTo)]))
    .reduce<Place | undefined>(
      (first, one) => (first === undefined || isBefore(one, first) ? one : first),
      undefined,
    );
  const newest = new Map<string, StoredOperation>();
  for (const one of pages.flatMap(({ operations }) => operations))
    if ((newest.get(one.name)?.generation ?? -1n) < one.generation) newest.set(one.name, one);
  const sorted = [...newest.values()]
    .filter((one) => edge === undefined || !isBefore(edge, placeOf(one)))
    .sort((a, b) => (isBefore(placeOf(a), placeOf(b)) ? -1 : 1));
  const operations = sorted.slice(0, limit);
  const last = operations.at(-1);
  return { operations, next: sorted.length > limit && last !== undefined ? placeOf(last) : edge };
}

const atPlace = ({ createdAt, id }: OperationPlace): Place => ({
  at: createdAt === undefined ? 0n : fromTimestamp(createdAt),
  id,
});

/** Whether an operation comes after a place in the list. */
export const isAfter = (one: StoredOperation, place: OperationPlace): boolean =>
  isBefore(atPlace(place), placeOf(one));

/** Whether `a` comes before `b` in the list. */
const isBefore = (a: Place, b: Place): boolean => (a.at === b.at ? a.id > b.id : a.at > b.at);
