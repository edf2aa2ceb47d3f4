import { LRUCache } from "lru-cache";

/** Finished JSON, and what it was made of. */
interface Fragment {
  readonly source: Uint8Array;
  readonly json: Buffer;
}

/** The cache makes an object for its options with each question that brings none, and lists ask thousands. */
const PLAINLY = {};

/**
 * Finished JSON of single resources, kept up to a number of bytes. A fragment is used again only for exactly
 * the bytes that it was made of: whatever changes makes a new one in the place of the old, so nobody has to
 * be told of changes.
 */
export class FragmentCache {
  readonly #cache: LRUCache<string, Fragment>;

  /** @param maxBytes  of JSON, sources and keys together; 0 keeps nothing */
  constructor(maxBytes: number) {
    this.#cache = new LRUCache({
      maxSize: Math.max(1, maxBytes),
      sizeCalculation: ({ source, json }, key) => json.length + source.length + key.length * 2 + 300,
    });
  }

  /**
   * The fragment of a key.
   * @param key  names the resource, and everything beside `source` that the JSON depends on
   * @param source  the resource as it came, encoded; may be a view on a larger answer
   */
  of(key: string, source: Uint8Array, make: () => string): Buffer {
    const known = this.#cache.get(key, PLAINLY);
    if (known && Buffer.compare(known.source, source) === 0) return known.json;
    const json = Buffer.from(make());
    this.#cache.set(key, { source: Uint8Array.from(source), json });
    return json;
  }
}

const COMMA = Buffer.from(",");

/**
 * `{"<name>":[fragment,fragment…]<tail>}` in one allocation. @param tail further members with their leading
 * comma, or ""
 */
export function joinList(name: string, fragments: readonly Buffer[], tail: string): Buffer {
  const parts: Buffer[] = [Buffer.from(`{${JSON.stringify(name)}:[`)];
  for (const [index, fragment] of fragments.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(fragment);
  }
  parts.push(Buffer.from(`]${tail}}`));
  return Buffer.concat(parts);
}
