import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Server } from "../../../../gen/kilonova/api/v1/server.js";
import type { Links } from "../../http/links.js";
import type { FragmentCache } from "../../view/fragments.js";
import type { Shape } from "../../view/view.js";

/**
 * The JSON of one server, from the cache when the same was shown before. @param server as `api` encoded it: a
 * server is decoded only when it is new
 */
export function serverFragment(
  cache: FragmentCache,
  shape: Shape<Server, Links>,
  server: Uint8Array,
  links: Links,
): Buffer {
  const make = (): string => JSON.stringify(shape.render(Server.decode(server), links));
  return cache.of(`${idOf(server)}:${shape.id}:${links.key}`, server, make);
}

const ID_FIELD = 1;

/**
 * The server's id, which is the first thing that it says; "" when it is not, and then it is worth no more
 * than another's.
 */
export function idOf(server: Uint8Array): string {
  const reader = new BinaryReader(server);
  return server.length > 0 && reader.uint32() === ((ID_FIELD << 3) | 2) ? reader.string() : "";
}
