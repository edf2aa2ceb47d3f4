import type { GetServerRequest, GetServerResponse } from "../../../gen/kilonova/api/v1/servers_service.js";
import { Server } from "../../../gen/kilonova/type/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import { isSilence } from "../cells/guard.js";
import type { LoadedServer } from "../cells/servers.js";
import { ownerOf } from "../cells/servers.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { hiddenFields, maskOf, presentServers } from "../view/server-view.js";

/** Reads a server; of one in a silent cell, what the mapping tells. */
export const getServer = (parts: Parts): Unary<GetServerRequest, GetServerResponse> =>
  checked<GetServerRequest, GetServerResponse>({ serverId: id }, async (ctx, request) => {
    const mask = maskOf(ctx, parts.policy, {
      hostInfo: request.withHostInfo,
      userData: request.withUserData,
    });
    const { loaded, unreachable } = await loadOrSketch(parts, ctx, request.serverId, mask.userData);
    parts.policy.enforce(ctx.actor, "os_compute_api:servers:show", ownerOf(loaded.server));
    if (unreachable)
      return { server: loaded.server, hiddenFields: hiddenFields(mask), cellUnreachable: true };
    const [server] = await presentServers(ctx, parts.directory, mask, [loaded]);
    return { server, hiddenFields: hiddenFields(mask), cellUnreachable: false };
  });

type Found = Pick<LoadedServer, "server" | "database">;

async function loadOrSketch(
  parts: Parts,
  ctx: Ctx,
  serverId: string,
  withUserData: boolean,
): Promise<{ loaded: Found; unreachable: boolean }> {
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
