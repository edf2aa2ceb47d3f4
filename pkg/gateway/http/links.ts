import type { JsonObject } from "./json.js";
import type { Query } from "./query.js";

/** Makes the addresses of one request's answer. `self` links carry the version, `bookmark` links do not. */
export class Links {
  /** Everything that distinguishes the links of two requests; part of the key of cached fragments. */
  readonly key: string;
  /** Scheme, host and port, or the configured prefix. */
  readonly base: string;
  readonly #self: string;
  readonly #bookmark: string;

  /**
   * @param base  scheme, host and port under which the client reached us, or the configured prefix
   * @param mount  `v2.1` or `v2`
   * @param projectId  the project id of the URL, or "" when it had none
   */
  constructor(base: string, mount: string, projectId: string) {
    const project = projectId === "" ? "" : `/${projectId}`;
    this.#self = `${base}/${mount}${project}`;
    this.#bookmark = `${base}${project}`;
    this.key = this.#self;
    this.base = base;
  }

  self(collection: string, id: string): string {
    return `${this.#self}/${collection}/${id}`;
  }

  bookmark(collection: string, id: string): string {
    return `${this.#bookmark}/${collection}/${id}`;
  }

  /** The two links that most resources show. */
  both(collection: string, id: string): JsonObject[] {
    return [
      { rel: "self", href: this.self(collection, id) },
      { rel: "bookmark", href: this.bookmark(collection, id) },
    ];
  }

  /**
   * The link to the next page: the request's parameters sorted by name, one value each, with the marker
   * replaced.
   */
  next(path: string, query: Query, marker: string): JsonObject[] {
    const values = new Map([...query].map(([name, all]) => [name, all.at(-1) ?? ""] as const)).set(
      "marker",
      marker,
    );
    const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
    return [{ rel: "next", href: `${this.#self}/${path}?${new URLSearchParams(sorted).toString()}` }];
  }
}
