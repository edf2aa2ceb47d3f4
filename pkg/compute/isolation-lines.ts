/** What one host says about the isolation of its guests; empty when it has nothing to say. */
export interface ToldIsolation {
  readonly host: string;
  readonly text: string;
}

/** One line for all hosts that say the same; their names only where hosts differ. */
export function isolationLines(told: readonly ToldIsolation[]): readonly string[] {
  const hostsOf = new Map<string, string[]>();
  for (const { host, text } of told) if (text !== "") hostsOf.set(text, [...(hostsOf.get(text) ?? []), host]);
  return [...hostsOf].map(([text, hosts]) => (hostsOf.size === 1 ? text : `${hosts.join(", ")}: ${text}`));
}
