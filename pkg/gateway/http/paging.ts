import { SortDirection } from "../../../gen/kilonova/type/v1/page.js";
import { MAX_INT, integer, parameter, text } from "../schema/nodes.js";
import type { Field } from "../schema/nodes.js";
import type { Json } from "./json.js";
import type { Links } from "./links.js";
import type { Query } from "./query.js";
import { last } from "./query.js";

/** The most items of one answer, also the default. @source Nova's `max_limit` */
export const MAX_LIMIT = 1000;

export const limitNode = integer({ min: 0, max: "cut", pattern: "^[0-9]*$" });
/** How many items are passed over. */
export const offsetNode = integer({ min: 0, max: MAX_INT, pattern: "^[0-9]*$" });
export const pageParameters = (options: Parameters<typeof parameter>[2] = {}): Field[] => [
  parameter("limit", limitNode, options),
  parameter("marker", text(), options),
];

export interface Page {
  /** Items to answer, 0 to MAX_LIMIT. */
  readonly limit: number;
  /** What to ask of `api`, for which 0 means the default: at least one. */
  readonly pageSize: number;
  readonly marker: string;
}

/** The page that marker-style parameters ask for; here `limit=0` means nothing at all. */
export function pageOf(query: Query): Page {
  const asked = last(query, "limit");
  const limit = Math.min(asked === undefined ? MAX_LIMIT : Number(asked), MAX_LIMIT);
  return { limit, pageSize: Math.max(1, limit), marker: last(query, "marker") ?? "" };
}

/** What of a list `api` is asked for. */
export interface Stretch {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly marker: string;
}

/**
 * A page as REST counts it. The pages of `api` end also where their bytes do: what is missing then is asked
 * for until the page is full or nothing is left.
 * @param rows  the answer's field that has them
 * @returns the first answer, and the items of all
 */
export async function wholePage<
  K extends string,
  A extends { readonly nextPageToken: string } & Readonly<Record<K, readonly unknown[]>>,
>(
  page: Page,
  rows: K,
  ask: (stretch: Stretch) => Promise<A>,
): Promise<{ answer: A; items: readonly A[K][number][] }> {
  const answer = await ask({ pageSize: page.pageSize, pageToken: "", marker: page.marker });
  if (answer.nextPageToken === "" || answer[rows].length >= page.limit)
    return { answer, items: cut(answer[rows], page) };
  const items = [...answer[rows]];
  for (let pageToken = answer.nextPageToken; pageToken !== "" && items.length < page.limit;) {
    const rest = await ask({ pageSize: page.limit - items.length, pageToken, marker: "" });
    items.push(...rest[rows]);
    pageToken = rest.nextPageToken;
  }
  return { answer, items: cut(items, page) };
}

/** The items that the page shows. */
const cut = <T>(items: readonly T[], page: Page): readonly T[] =>
  items.length > page.limit ? items.slice(0, page.limit) : items;

/**
 * The link to the next page, as a further member with its comma. It is there whenever the page is full, also
 * when nothing follows.
 * @param path  of the list below the mount
 */
export function nextPage(
  key: string,
  path: string,
  items: readonly { readonly marker: string }[],
  page: Page,
  query: Query,
  links: Links,
): Record<string, Json> {
  const lastItem = items.at(-1);
  if (!lastItem || items.length !== page.limit) return {};
  return { [key]: links.next(path, query, lastItem.marker) };
}

/** A direction in the terms of `api`. */
export const directionOf = (word: string): SortDirection =>
  word === "desc" ? SortDirection.SORT_DIRECTION_DESC : SortDirection.SORT_DIRECTION_ASC;
