import type { Ctx } from "../../kernel/ctx.js";
import { within } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import type { FairSlots } from "../../kernel/fair-slots.js";
import { DbError } from "../../platform/db/index.js";
import type { Database } from "../../platform/db/index.js";
import type { FeedTables } from "../../platform/db/feed/index.js";
import { CellsErrors } from "../errors.js";

/** Where lists run whose cost is in their filter: away from everybody else's statements. */
export interface CostlyAccess {
  /** On connections of its own, whose statements end after `timeoutMs`. */
  readonly database: Database<FeedTables>;
  /** As many as there are connections, shared by project. */
  readonly slots: FairSlots;
  readonly timeoutMs: number;
  /** How long a list waits for its turn. */
  readonly waitMs: number;
}

const RETRY_MS = 1_000;

/** Runs costly reads of one database, a fair share for each project. */
export class CostlyReads {
  readonly #access: CostlyAccess;

  constructor(access: CostlyAccess) {
    this.#access = access;
  }

  /**
   * @param projectId  whose share it takes; "" for those who see all projects
   * @throws TOO_MANY_LISTS, LIST_TOO_EXPENSIVE: the filter's fault, never the database's
   */
  async run<T>(
    ctx: Ctx,
    projectId: string,
    read: (ctx: Ctx, db: Database<FeedTables>) => Promise<T>,
  ): Promise<T> {
    const { slots, database, timeoutMs, waitMs } = this.#access;
    const full = (): KilonovaError => CellsErrors.TOO_MANY_LISTS({ retryAfterMs: RETRY_MS });
    let begun = false;
    try {
      return await within(ctx, waitMs + timeoutMs, "The list", (inner) =>
        slots.run(projectId, inner.signal, full, () => {
          begun = true;
          return read(inner, database);
        }),
      );
    } catch (error) {
      const overtime = error instanceof KilonovaError && error.kind === "deadline" && !ctx.signal.aborted;
      if (overtime && !begun) throw CellsErrors.TOO_MANY_LISTS({ retryAfterMs: RETRY_MS }, { cause: error });
      if (overtime || (error instanceof DbError && error.failure === "timeout"))
        throw CellsErrors.LIST_TOO_EXPENSIVE({ timeoutMs }, { cause: error });
      throw error;
    }
  }
}
