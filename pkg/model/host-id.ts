import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";

/** A list of a thousand servers asks for the same few again and again. */
const known = new LRUCache<string, string>({ max: 10_000 });

/**
 * What tenants see instead of a host's name: the same for one project and host, unrelated otherwise; ""
 * without a host.
 * @source Nova: SHA-224 over project id and host, hex
 */
export function hostIdOf(projectId: string, host: string): string {
  if (host === "") return "";
  const text = projectId + host;
  let id = known.get(text);
  if (id === undefined) known.set(text, (id = createHash("sha224").update(text, "utf8").digest("hex")));
  return id;
}
