import type { JoinedRow } from "./owned-operation.js";

const KEPT = 2_000;

/**
 * Rows of operations as this process last stored or read them, with their instances. Only a guess of what the database
 * has: a commit based on it holds when fence and generations are still the same, and reads again when they are not.
 */
export class RecentOperations {
  readonly #rows = new Map<string, JoinedRow>();

  get(id: string): JoinedRow | undefined { return this.#rows.get(id); }

  put(row: JoinedRow): void {
    this.#rows.delete(row.id);
    this.#rows.set(row.id, row);
    if (this.#rows.size <= KEPT) return;
    const [oldest] = this.#rows.keys();
    if (oldest !== undefined) this.#rows.delete(oldest);
  }

  drop(id: string): void { this.#rows.delete(id); }
}
