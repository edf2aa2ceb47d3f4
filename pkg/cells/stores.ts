import type { Ctx } from "../kernel/ctx.js";
import { mapLimit } from "../kernel/concurrency.js";
import { parseOperationName } from "../model/operation-name.js";
import type { Subject } from "../model/operation-name.js";
import { sql } from "./store/sql.js";
import { CellsErrors } from "./errors.js";
import type { Store } from "./store/tables.js";

const CELLS_AT_ONCE = 8;

/** The databases that this process serves, by name. */
export class Stores {
  readonly global: Store;
  readonly #byName: ReadonlyMap<string, Store>;

  constructor(global: Store, cells: readonly Store[]) {
    this.global = global;
    this.#byName = new Map([global, ...cells].map((store) => [store.name, store]));
  }

  /** All databases, the global one first. */
  get all(): readonly Store[] {
    return [...this.#byName.values()];
  }

  /** @throws UNKNOWN_DATABASE */
  get(name: string): Store {
    const store = this.#byName.get(name);
    if (store === undefined) throw CellsErrors.UNKNOWN_DATABASE({ database: name });
    return store;
  }

  /** A cell, cell0 included. @throws UNKNOWN_DATABASE for anything else */
  cell(name: string): Store {
    if (name === this.global.name) throw CellsErrors.UNKNOWN_DATABASE({ database: name });
    return this.get(name);
  }

  /**
   * The named database, or with "" the one that the server's mapping names. @throws UNKNOWN_DATABASE,
   * SERVER_NOT_FOUND
   */
  async locate(ctx: Ctx, name: string, serverId: string): Promise<Store> {
    if (name !== "") return this.get(name);
    const { rows } = await this.global.db.statement(ctx, "mappings.locate", (db) =>
      sql<{
        database: string;
      }>`SELECT database FROM ${this.global.t.instance_mapping} WHERE server_id = ${serverId}`.execute(db),
    );
    const row = rows[0];
    if (row === undefined) throw CellsErrors.SERVER_NOT_FOUND({ server: serverId });
    return this.get(row.database);
  }

  /** As `locate`, for an operation's name. @throws OPERATION_NOT_FOUND, HOST_NOT_FOUND */
  async locateOperation(ctx: Ctx, name: string, operation: string): Promise<Store> {
    const ids = parseOperationName(operation);
    if (ids === undefined) throw CellsErrors.OPERATION_NOT_FOUND({ operation });
    return this.locateSubject(ctx, name, ids.subject);
  }

  /** As `locate`: a host is looked for in every cell. @throws SERVER_NOT_FOUND, HOST_NOT_FOUND */
  async locateSubject(ctx: Ctx, name: string, { kind, id }: Subject): Promise<Store> {
    if (name !== "") return this.get(name);
    if (kind === "server") return this.locate(ctx, name, id);
    if (kind === "cloud") return this.global;
    const cells = this.all.filter((store) => store !== this.global);
    const found = await mapLimit(cells, CELLS_AT_ONCE, async (store) => {
      const { rows } = await store.db.statement(ctx, "hosts.locate", (db) =>
        sql`SELECT 1 FROM ${store.t.compute_node} WHERE id = ${id}`.execute(db),
      );
      return rows.length > 0 ? [store] : [];
    });
    const [home] = found.flat();
    if (home === undefined) throw CellsErrors.HOST_NOT_FOUND({ host: id });
    return home;
  }
}
