import type { GetServerRequest, GetServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { isSilence } from "../cells/guard.js";
import type { LoadedServer } from "../cells/servers.js";
import { ownerOf } from "../cells/servers.js";
import { id } from "../shape/common.js";
import type { About, Guarded, Subject } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import type { ServerWishes } from "../view/server-view.js";
import { hiddenFields, maskOf, presentServers, sketchServer } from "../view/server-view.js";

/** Reads a server; of one in a silent cell, what the mapping tells. */
export const getServer = (parts: Parts): Guarded<GetServerRequest, GetServerResponse> =>
  guarded({ serverId: id }, sketchable(parts), async (ctx, request, { loaded, unreachable }) => {
    const mask = maskOf(ctx, wishesOf(request));
    if (unreachable)
      return { server: sketchServer(loaded.server), hiddenFields: hiddenFields(mask), cellUnreachable: true };
    const [server] = await presentServers(ctx, parts.directory, mask, [loaded]);
    return { server, hiddenFields: hiddenFields(mask), cellUnreachable: false };
  });

interface Sketched {
  readonly loaded: Pick<LoadedServer, "server" | "database">;
  readonly unreachable: boolean;
}

const wishesOf = (request: GetServerRequest): ServerWishes => ({
  hostInfo: request.withHostInfo,
  userData: request.withUserData,
});

/** A server, or what is known of one in a silent cell. */
const sketchable =
  (parts: Parts): About<GetServerRequest, Sketched & Subject> =>
  async (ctx, request) => {
    const { userData } = maskOf(ctx, wishesOf(request));
    const sketched = await loadOrSketch(parts, ctx, request.serverId, userData);
    return { ...sketched, owner: ownerOf(sketched.loaded.server) };
  };

async function loadOrSketch(
  parts: Parts,
  ctx: Call,
  serverId: string,
  withUserData: boolean,
): Promise<Sketched> {
  try {
    return { loaded: await parts.servers.load(ctx, serverId, { withUserData }), unreachable: false };
  } catch (error) {
    if (!isSilence(error) || ctx.signal.aborted) throw error;
    const { serverId: known, projectId, createdAt, database } = await parts.servers.mappingOf(ctx, serverId);
    return {
      loaded: { server: Server.fromPartial({ id: known, projectId, createdAt }), database },
      unreachable: true,
    };
  }
}
