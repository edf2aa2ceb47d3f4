const isPlain = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/**
 * A value as a schema has read it, and the keys that the schema does not know, at every depth.
 * @param raw    what was read
 * @param known  what the schema made of it
 */
export function withUnknownKeys<T>(raw: unknown, known: T): T {
  if (Array.isArray(raw) && Array.isArray(known) && raw.length === known.length)
    return known.map((item, index) => withUnknownKeys(raw[index], item)) as T;
  if (!isPlain(raw) || !isPlain(known)) return known;
  const kept = Object.entries(known).map(([key, value]) => [key, withUnknownKeys(raw[key], value)]);
  return { ...raw, ...(Object.fromEntries(kept) as object) } as T;
}
