import { z } from "zod";
import type { HttpRequest } from "../../platform/http/index.js";
import { NeutronErrors } from "./errors.js";
import { readMany } from "./json.js";

type QueryParams = NonNullable<HttpRequest["query"]>;

/**
 * A URL with more is refused by some servers and proxies (8 KiB), so long lists of ids are asked for in
 * parts.
 */
const IDS_PER_CALL = 100;
/** Against a server whose links never end. */
const MAX_PAGES = 1_000;

/**
 * Reads a list to its end: in parts when a filter has many values, and following `next` links.
 * @param load  fetches one page
 * @throws UNEXPECTED_ANSWER
 */
export async function listingPages<S extends z.ZodType>(
  query: QueryParams,
  load: (query: QueryParams) => Promise<unknown>,
  name: string,
  shape: S,
): Promise<z.output<S>[]> {
  const found: z.output<S>[] = [];
  for (const part of split(query)) {
    let marker: string | undefined;
    for (let page = 0; ; page++) {
      if (page >= MAX_PAGES) throw NeutronErrors.UNEXPECTED_ANSWER({});
      const json = await load(marker === undefined ? part : { ...part, marker });
      found.push(...readMany(json, name, shape));
      const next = nextMarker((json as Readonly<Record<string, unknown>>)[`${name}_links`]);
      if (next === undefined) break;
      if (next === marker) throw NeutronErrors.UNEXPECTED_ANSWER({});
      marker = next;
    }
  }
  return found;
}

/** An empty list of values would otherwise be no filter at all: it means nothing is wanted. */
function split(query: QueryParams): QueryParams[] {
  const lists = Object.entries(query).filter((entry): entry is [string, readonly string[]] =>
    Array.isArray(entry[1]),
  );
  if (lists.some(([, values]) => values.length === 0)) return [];
  const long = lists.find(([, values]) => values.length > IDS_PER_CALL);
  if (!long) return [query];
  const [name, values] = long;
  const parts: QueryParams[] = [];
  for (let at = 0; at < values.length; at += IDS_PER_CALL)
    parts.push(...split({ ...query, [name]: values.slice(at, at + IDS_PER_CALL) }));
  return parts;
}

const links = z.array(z.object({ rel: z.string(), href: z.string() }));

function nextMarker(value: unknown): string | undefined {
  const parsed = links.safeParse(value);
  const href = parsed.success ? parsed.data.find((link) => link.rel === "next")?.href : undefined;
  if (href === undefined) return undefined;
  const at = href.indexOf("?");
  return at < 0 ? undefined : (new URLSearchParams(href.slice(at + 1)).get("marker") ?? undefined);
}
