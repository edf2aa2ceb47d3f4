import { KilonovaError } from "./errors.js";

/**
 * A list, read as it is needed: `for await` gives its rows, and asks for the next page when one is used up.
 */
export class Pages<T, P extends { nextPageToken: string }> implements AsyncIterable<T> {
  readonly #read: (pageToken: string | undefined) => Promise<P>;
  readonly #itemsOf: (page: P) => readonly T[];

  constructor(read: (pageToken: string | undefined) => Promise<P>, itemsOf: (page: P) => readonly T[]) {
    this.#read = read;
    this.#itemsOf = itemsOf;
  }

  /** Whole answers, for what they say beside the rows, such as `unreachableCells`. */
  async *pages(): AsyncGenerator<P, void> {
    for (let token: string | undefined; token !== "";) {
      const page = await this.#read(token);
      yield page;
      token = page.nextPageToken;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for await (const page of this.pages()) yield* this.#itemsOf(page);
  }

  /** All rows. Mind how many there may be. */
  async all(): Promise<T[]> {
    const rows: T[] = [];
    for await (const page of this.pages()) rows.push(...this.#itemsOf(page));
    return rows;
  }

  /** The first row. @throws KilonovaError NOT_FOUND when there is none */
  async first(): Promise<T> {
    for await (const row of this) return row;
    throw new KilonovaError("the list is empty", { code: "NOT_FOUND", reason: "NOT_FOUND" });
  }
}
