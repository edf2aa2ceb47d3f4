import { LRUCache } from "lru-cache";

const KEPT = 2_000;

/**
 * Rows as this process last stored or read them, by id, 2,000 at most. Only a guess of what the database has:
 * a statement based on one is conditional on it, and whoever it fails for reads again.
 */
export class RecentRows<Row extends object> {
  readonly #rows = new LRUCache<string, Row>({ max: KEPT });

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  put(id: string, row: Row): void {
    this.#rows.set(id, row);
  }

  drop(id: string): void {
    this.#rows.delete(id);
  }
}
