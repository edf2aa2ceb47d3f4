import type { Json } from "../http/json.js";
import type { Microversion, Span } from "../microversion/version.js";
import { always, inSpan } from "../microversion/version.js";

/**
 * One field of a resource, declared once. `Forms` are the names of the resource's representations (say,
 * `show` and `detail`): a form may have a span of its own. Several fields of one name must live in spans that
 * do not meet.
 */
export interface Field<S, E, Forms extends string = never> {
  readonly name: string;
  /** Versions that show the field. */
  readonly span?: Span;
  /** Where a form differs from `span`. */
  readonly forms?: Partial<Readonly<Record<Forms, Span>>>;
  /**
   * Path by which `api` says that policy hid the value from this caller (`hidden_fields`): then there is no
   * field.
   */
  readonly hiddenAs?: string;
  /** The short form of a field, shown only when `api` hid this path. */
  readonly onlyIfHidden?: string;
  /** undefined leaves the field out. */
  value(source: S, env: E): Json | undefined;
}

/** A view of one version for one kind of caller. */
export interface Shape<S, E> {
  /** Tells shapes of one view apart; equal for versions that show the same fields. */
  readonly id: string;
  /** Cost: one pass over the fields, nothing is copied. */
  render(source: S, env: E): Record<string, Json>;
}

/** Finds the shapes of one form of a resource, and makes each distinct one once. */
export class View<S, E> {
  readonly #form: string;
  readonly #fields: readonly Field<S, E, string>[];
  readonly #paths: readonly string[];
  readonly #byKey = new Map<number, Shape<S, E>>();
  readonly #byId = new Map<string, Shape<S, E>>();

  /** @param form  one of the forms of the fields, also part of the ids of its shapes */
  constructor(form: string, fields: readonly Field<S, E, string>[]) {
    this.#form = form;
    this.#fields = fields;
    this.#paths = [
      ...new Set(fields.flatMap((field) => [field.hiddenAs ?? [], field.onlyIfHidden ?? []].flat())),
    ];
  }

  /** @param hidden  paths that policy hid, as the answer of `api` names them */
  shape(version: Microversion, hidden: readonly string[] = []): Shape<S, E> {
    let mask = 0;
    for (const path of hidden) mask |= this.#bit(path);
    const key = mask * 1024 + version;
    let shape = this.#byKey.get(key);
    if (!shape) this.#byKey.set(key, (shape = this.#make(version, mask)));
    return shape;
  }

  #make(version: Microversion, mask: number): Shape<S, E> {
    const shown = this.#fields.flatMap((field, index) =>
      this.#isShown(field, version, mask) ? [{ field, index }] : [],
    );
    const id = `${this.#form}:${shown.map(({ index }) => index.toString(36)).join(".")}`;
    let shape = this.#byId.get(id);
    if (!shape)
      this.#byId.set(
        id,
        (shape = makeShape(
          id,
          shown.map(({ field }) => field),
        )),
      );
    return shape;
  }

  #isShown(field: Field<S, E, string>, version: Microversion, mask: number): boolean {
    if (!inSpan(version, field.forms?.[this.#form] ?? field.span ?? always)) return false;
    if (field.hiddenAs !== undefined && (mask & this.#bit(field.hiddenAs)) !== 0) return false;
    return field.onlyIfHidden === undefined || (mask & this.#bit(field.onlyIfHidden)) !== 0;
  }

  /** Paths that no field asks about count for nothing. */
  #bit(path: string): number {
    const index = this.#paths.indexOf(path);
    return index < 0 ? 0 : 1 << index;
  }
}

function makeShape<S, E>(id: string, fields: readonly Field<S, E, string>[]): Shape<S, E> {
  const names = fields.map((field) => field.name);
  if (new Set(names).size !== names.length)
    throw new Error(`fields of ${id} share a name: ${names.join(", ")}`);
  return {
    id,
    render: (source, env) => {
      const out: Record<string, Json> = {};
      for (const field of fields) {
        const value = field.value(source, env);
        if (value !== undefined) out[field.name] = value;
      }
      return out;
    },
  };
}
