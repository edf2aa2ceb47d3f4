import type { Server } from "../../../../gen/kilonova/type/v1/server.js";
import type { Links } from "../../http/links.js";
import type { FragmentCache } from "../../view/fragments.js";
import type { Shape } from "../../view/view.js";

/**
 * The JSON of one server, from the cache when the same was shown before. A server's generation grows with every change of its
 * record; what `api` adds when it reads (host status, zone, what policy lets through) is named beside it.
 */
export function serverFragment(cache: FragmentCache, shape: Shape<Server, Links>, server: Server, links: Links): Buffer {
  const make = (): string => JSON.stringify(shape.render(server, links));
  // Records without a generation come from somewhere that cannot be asked.
  if (server.generation === 0n) return Buffer.from(make());
  const { hostStatus, hostInfo, userData, fault, availabilityZone } = server;
  const read = `${hostStatus}${hostInfo ? "h" : ""}${userData === "" ? "" : "u"}${fault?.details ? "d" : ""}:${availabilityZone}`;
  return cache.of(`${server.id}:${server.generation}:${shape.id}:${read}:${links.key}`, make);
}
