import { LRUCache } from "lru-cache";

/** Finished JSON of single resources, kept up to a number of bytes. Keys name everything that the bytes depend on. */
export class FragmentCache {
  readonly #cache: LRUCache<string, Buffer>;

  /** @param maxBytes  of JSON and keys together; 0 keeps nothing */
  constructor(maxBytes: number) {
    this.#cache = new LRUCache({ maxSize: Math.max(1, maxBytes), sizeCalculation: (bytes, key) => bytes.length + key.length * 2 + 200 });
  }

  get(key: string): Buffer | undefined { return this.#cache.get(key); }

  /** The fragment of a key; made when it is not there. */
  of(key: string, make: () => string): Buffer {
    const known = this.#cache.get(key);
    if (known) return known;
    const made = Buffer.from(make());
    this.#cache.set(key, made);
    return made;
  }
}

const COMMA = Buffer.from(",");

/** `{"<name>":[fragment,fragment…]<tail>}` in one allocation. @param tail  further members with their leading comma, or "" */
export function joinList(name: string, fragments: readonly Buffer[], tail: string): Buffer {
  const parts: Buffer[] = [Buffer.from(`{${JSON.stringify(name)}:[`)];
  for (const [index, fragment] of fragments.entries()) {
    if (index > 0) parts.push(COMMA);
    parts.push(fragment);
  }
  parts.push(Buffer.from(`]${tail}}`));
  return Buffer.concat(parts);
}
