import type { Cell, GlobalServiceDefinition } from "../../../gen/kilonova/cells/v1/global_service.js";
import { CELL0, GLOBAL } from "../../model/database-names.js";
import type { Clock, Ctx } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { CellGuard } from "./guard.js";

/** The list of cells, read again after a while. */
export class Databases {
  readonly #global: Client<GlobalServiceDefinition>;
  readonly #guard: CellGuard;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  #known: { cells: readonly Cell[]; untilMs: number } | undefined;

  constructor(global: Client<GlobalServiceDefinition>, guard: CellGuard, clock: Clock, ttlMs: number) {
    this.#global = global;
    this.#guard = guard;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
  }

  /** Names of all cells, cell0 included. The last known list serves while the global database is silent. */
  async cells(ctx: Ctx): Promise<readonly string[]> {
    return (await this.#list(ctx)).map((cell) => cell.name);
  }

  /** Cells that may have hosts. */
  async hostingCells(ctx: Ctx): Promise<readonly string[]> {
    return (await this.cells(ctx)).filter((name) => name !== CELL0);
  }

  async #list(ctx: Ctx): Promise<readonly Cell[]> {
    const nowMs = this.#clock.monotonicMs();
    if (this.#known !== undefined && nowMs < this.#known.untilMs) return this.#known.cells;
    try {
      const { cells } = await this.#guard.call(ctx, GLOBAL, (inner) => this.#global.listCells(inner, {}));
      // none yet: somebody is just registering them
      this.#known = { cells, untilMs: cells.length === 0 ? nowMs : nowMs + this.#ttlMs };
    } catch (error) {
      if (this.#known === undefined) throw error;
      ctx.log.warn("api.cells.stale", { error });
    }
    return this.#known.cells;
  }
}
