import type { Ctx } from "../kernel/ctx.js";
import { CommonErrors, KilonovaError } from "../kernel/errors.js";
import { mapLimit } from "../kernel/concurrency.js";
import { GLOBAL } from "../model/database-names.js";
import { parseOperationName } from "../model/operation-name.js";
import type { Subject } from "../model/operation-name.js";
import { sql } from "./store/sql.js";
import { CellsErrors } from "./errors.js";
import { knowsHost, notedCell } from "./hosts/store/host-mappings.js";
import type { Store } from "./store/tables.js";

const CELLS_AT_ONCE = 8;

/** Whether a database does not answer at all. */
const isSilence = (error: unknown): boolean =>
  error instanceof KilonovaError &&
  error.domain === "db" &&
  (error.reason === "DB_UNAVAILABLE" || error.reason === "LOST");

const placeName = ({ name }: Store): string => (name === GLOBAL ? "The global database" : `Cell ${name}`);

/** What is known from a database that does not answer. @throws everything else */
function nothingIfSilent(error: unknown): undefined {
  if (!isSilence(error)) throw error;
}

/** Works on a database that was looked up. @throws UNAVAILABLE naming it when it does not answer */
export async function byName<T>(store: Store, work: (store: Store) => Promise<T>): Promise<T> {
  try {
    return await work(store);
  } catch (cause) {
    if (!isSilence(cause)) throw cause;
    throw CommonErrors.UNAVAILABLE({ what: placeName(store) }, { cause });
  }
}

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

  /**
   * As `locate`. Only the cell is asked in which a host registered last; one that nobody has noted there is
   * looked for in every cell.
   * @throws SERVER_NOT_FOUND, HOST_NOT_FOUND; UNAVAILABLE naming the cells in which it may be
   */
  async locateSubject(ctx: Ctx, name: string, { kind, id }: Subject): Promise<Store> {
    if (name !== "") return this.get(name);
    if (kind === "server") return this.locate(ctx, name, id);
    if (kind === "cloud") return this.global;
    const noted = await notedCell(this.global, ctx, id);
    return this.#byName.get(noted ?? "") ?? this.#findHost(ctx, id);
  }

  async #findHost(ctx: Ctx, id: string): Promise<Store> {
    const cells = this.all.filter((store) => store !== this.global);
    const answers = await mapLimit(cells, CELLS_AT_ONCE, async (store) => ({
      store,
      knows: await knowsHost(store, ctx, id).catch(nothingIfSilent),
    }));
    const home = answers.find(({ knows }) => knows === true);
    if (home !== undefined) return home.store;
    const silent = answers.flatMap(({ store, knows }) => (knows === undefined ? [store.name] : []));
    if (silent.length > 0) throw CommonErrors.UNAVAILABLE({ what: `Cell ${silent.join(", ")}` });
    throw CellsErrors.HOST_NOT_FOUND({ host: id });
  }
}
