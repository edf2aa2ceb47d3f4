/**
 * Distinct texts remembered while they wait for their second use; lists of varying length make many of them.
 */
const MAX_SEEN = 2_000;
/** Prepared statements per connection; each costs the server some 10-50 KB of plan. */
const MAX_NAMED = 200;

/**
 * Names statements for preparation: a text gets a name when it comes a second time, until there are enough of
 * them. Shared by all connections of a pool; node-postgres keeps track of which connection has prepared what.
 */
export class StatementNames {
  readonly #named = new Map<string, string>();
  readonly #seen = new Set<string>();

  nameOf(text: string): string | undefined {
    const name = this.#named.get(text);
    if (name !== undefined) return name;
    if (this.#named.size >= MAX_NAMED) return undefined;
    if (!this.#seen.delete(text)) {
      if (this.#seen.size >= MAX_SEEN) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    const fresh = `k${this.#named.size}`;
    this.#named.set(text, fresh);
    return fresh;
  }
}
