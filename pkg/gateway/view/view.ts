import type { RuleName } from "../../policy/index.js";
import type { May } from "../http/api-request.js";
import type { Json } from "../http/json.js";
import type { Microversion, Span } from "../microversion/version.js";
import { always, inSpan } from "../microversion/version.js";

/**
 * One field of a resource, declared once. `Forms` are the names of the resource's representations (say, `show` and `detail`): a form
 * may have a span of its own. Several fields of one name must live in spans that do not meet.
 */
export interface Field<S, E, Forms extends string = never> {
  readonly name: string;
  /** Versions that show the field. */
  readonly span?: Span;
  /** Where a form differs from `span`. */
  readonly forms?: Partial<Readonly<Record<Forms, Span>>>;
  /** Shown only to callers with this policy rule. */
  readonly policy?: RuleName;
  /** Shown only to callers without this rule: the short form of a field that others see in full. */
  readonly unless?: RuleName;
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
  readonly #rules: readonly RuleName[];
  readonly #byKey = new Map<number, Shape<S, E>>();
  readonly #byId = new Map<string, Shape<S, E>>();

  /** @param form  one of the forms of the fields, also part of the ids of its shapes */
  constructor(form: string, fields: readonly Field<S, E, string>[]) {
    this.#form = form;
    this.#fields = fields;
    this.#rules = [...new Set(fields.flatMap((field) => [field.policy ?? [], field.unless ?? []].flat()))];
  }

  shape(version: Microversion, may: May): Shape<S, E> {
    let mask = 0;
    for (const [index, rule] of this.#rules.entries()) if (may(rule)) mask |= 1 << index;
    const key = mask * 1024 + version;
    let shape = this.#byKey.get(key);
    if (!shape) this.#byKey.set(key, (shape = this.#make(version, mask)));
    return shape;
  }

  #make(version: Microversion, mask: number): Shape<S, E> {
    const shown = this.#fields.flatMap((field, index) => (this.#isShown(field, version, mask) ? [{ field, index }] : []));
    const id = `${this.#form}:${shown.map(({ index }) => index.toString(36)).join(".")}`;
    let shape = this.#byId.get(id);
    if (!shape) this.#byId.set(id, (shape = makeShape(id, shown.map(({ field }) => field))));
    return shape;
  }

  #isShown(field: Field<S, E, string>, version: Microversion, mask: number): boolean {
    if (!inSpan(version, field.forms?.[this.#form] ?? field.span ?? always)) return false;
    return (field.policy === undefined || this.#has(mask, field.policy)) && (field.unless === undefined || !this.#has(mask, field.unless));
  }

  #has(mask: number, rule: RuleName): boolean { return (mask & (1 << this.#rules.indexOf(rule))) !== 0; }
}

function makeShape<S, E>(id: string, fields: readonly Field<S, E, string>[]): Shape<S, E> {
  const names = fields.map((field) => field.name);
  if (new Set(names).size !== names.length) throw new Error(`fields of ${id} share a name: ${names.join(", ")}`);
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
