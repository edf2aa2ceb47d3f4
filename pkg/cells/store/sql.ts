import { CompiledQuery } from "kysely";
import type { Kysely, QueryResult } from "kysely";

const CHANGES = /^\s*(INSERT INTO|UPDATE|DELETE FROM) $/;

type Piece = string | { readonly value: unknown } | Sql<unknown>;

/** A statement or a part of one: text from code, values as parameters. Never text from input. */
export class Sql<R = unknown> {
  readonly #pieces: readonly Piece[];
  declare readonly row: R;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /**
   * Runs it. The text is made here once more, but never parsed or transformed: a tenth of what a query
   * builder takes.
   */
  execute(db: Pick<Kysely<never>, "executeQuery">): Promise<QueryResult<R>> {
    const values: unknown[] = [];
    const text = this.#write(values);
    return db.executeQuery(CompiledQuery.raw(text, values)) as Promise<QueryResult<R>>;
  }

  /** The table that it inserts into, updates or deletes from, as it begins; undefined when it does not. */
  get changes(): Sql | undefined {
    const [first, table] = this.#pieces;
    if (first instanceof Sql) return first.changes;
    return typeof first === "string" && CHANGES.test(first) && table instanceof Sql ? table : undefined;
  }

  #write(values: unknown[]): string {
    let text = "";
    for (const piece of this.#pieces) {
      if (typeof piece === "string") text += piece;
      else if (piece instanceof Sql) text += piece.#write(values);
      else text += `$${values.push(piece.value)}`;
    }
    return text;
  }
}

const toPiece = (value: unknown): Piece => (value instanceof Sql ? value : { value });

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const comma = new Sql([", "]);

/** Names come from code: tables of a few schemas and their columns. */
const identifiers = new Map<string, Sql>();

function identifier(path: string): Sql {
  const known = identifiers.get(path);
  if (known !== undefined) return known;
  const fresh = new Sql([path.split(".").map(quoted).join(".")]);
  identifiers.set(path, fresh);
  return fresh;
}

/** `sql\`SELECT … WHERE id = ${id}\``: values become parameters, other `sql` is put in as it is. */
export const sql = Object.assign(
  <R = unknown>(texts: TemplateStringsArray, ...values: readonly unknown[]): Sql<R> => {
    const pieces: Piece[] = [];
    for (const [index, text] of texts.entries()) {
      if (text !== "") pieces.push(text);
      if (index < values.length) pieces.push(toPiece(values[index]));
    }
    return new Sql<R>(pieces);
  },
  {
    /** A column, `alias.column`, or a table with its schema. */
    ref: identifier,
    table: identifier,
    join: (items: readonly unknown[], separator: Sql = comma): Sql => {
      const pieces: Piece[] = [];
      for (const item of items) {
        if (pieces.length > 0) pieces.push(separator);
        pieces.push(toPiece(item));
      }
      return new Sql(pieces);
    },
  },
);
