/** A record with exactly these keys, each with what `of` gives for it. */
export function recordOf<K extends string, V>(keys: readonly K[], of: (key: K) => V): Record<K, V> {
  // `fromEntries` forgets which keys there are; they are these.
  return Object.fromEntries(keys.map((key) => [key, of(key)])) as Record<K, V>;
}
