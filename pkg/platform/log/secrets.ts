/** Names of fields whose values never reach a log, wherever they stand. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "password",
  "adminPassword",
  "admin_password",
  "adminPass",
  "token",
  "userData",
  "user_data",
  "secret",
  "privateKey",
  "private_key",
]);

/** What lies deeper is not written: an object may hold itself. */
const MOST_DEPTH = 8;

/**
 * The same fields with `***` for what is secret, at any depth of what JSON shows. An `error` of the line is
 * left to who describes errors, and what says itself what JSON shows of it stays as it is.
 * @cost a look at each field; only what holds a secret is copied
 */
export const withoutSecrets = <T extends object>(fields: T): T => censored(fields, MOST_DEPTH) as T;

function censored(value: object, depth: number): object {
  if (depth === 0) return ["…"];
  let copy: Record<string, unknown> | undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields)) {
    const inner = fields[key];
    const isSecret = inner !== undefined && SECRET_FIELDS.has(key);
    const isDescribed = key === "error" && depth === MOST_DEPTH;
    const isLookedInto = !isDescribed && isShown(inner);
    const shown = isSecret ? "***" : isLookedInto ? censored(inner, depth - 1) : inner;
    if (shown !== inner) (copy ??= copyOf(value))[key] = shown;
  }
  return copy ?? value;
}

const copyOf = (value: object): Record<string, unknown> =>
  (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;

/** Whether JSON shows its fields. */
const isShown = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && !("toJSON" in value);
