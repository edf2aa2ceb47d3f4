const KEPT = 2_000;

/**
 * Rows as this process last stored or read them, by id, the newest 2,000. Only a guess of what the database
 * has: a statement based on one is conditional on it, and whoever it fails for reads again.
 */
export class RecentRows<Row> {
  readonly #rows = new Map<string, Row>();

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  put(id: string, row: Row): void {
    this.#rows.delete(id);
    this.#rows.set(id, row);
    if (this.#rows.size <= KEPT) return;
    const [oldest] = this.#rows.keys();
    if (oldest !== undefined) this.#rows.delete(oldest);
  }

  drop(id: string): void {
    this.#rows.delete(id);
  }
}
