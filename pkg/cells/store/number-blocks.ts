import { sql } from "./sql.js";
import type { Ctx } from "../../kernel/ctx.js";
import type { Sql } from "./sql.js";
import type { Database } from "../../platform/db/index.js";
import type { FeedTables } from "../../platform/db/feed/index.js";

const BLOCK = 64;

/** A database with counters. */
interface WithCounters {
  readonly db: Database<FeedTables>;
  readonly t: { readonly counter: Sql };
}

/**
 * Hands out a counter's numbers in blocks reserved in SQL, so that concurrent boots do not all change one
 * row. Numbers are unique and grow roughly; a restart skips the rest of its block.
 */
export class NumberBlocks {
  readonly #store: WithCounters;
  readonly #counter: string;
  #next = 1;
  #end = 0;
  #reserving: Promise<void> | undefined;

  constructor(store: WithCounters, counter: string) {
    this.#store = store;
    this.#counter = counter;
  }

  async next(ctx: Ctx): Promise<bigint> {
    while (this.#next > this.#end)
      await (this.#reserving ??= this.#reserve(ctx).finally(() => {
        this.#reserving = undefined;
      }));
    return BigInt(this.#next++);
  }

  async #reserve(ctx: Ctx): Promise<void> {
    const { rows } = await this.#store.db.statement(ctx, "counter.reserve", (db) =>
      sql<{
        value: number;
      }>`UPDATE ${this.#store.t.counter} SET value = value + ${BLOCK} WHERE name = ${this.#counter} RETURNING value`.execute(
        db,
      ),
    );
    const end = rows[0]?.value ?? 0;
    this.#next = end - BLOCK + 1;
    this.#end = end;
  }
}
