import type { Server } from "../../../gen/kilonova/api/v1/server.js";
import type { Ctx } from "../../kernel/index.js";
import type { Parts } from "../parts.js";
import { sketchServer } from "../view/server-view.js";

const MOST = 1000;

/**
 * What is known of the servers in silent cells: id, project and creation time.
 * @param projectId  only of this project; empty for all
 */
export async function downCellServers(
  parts: Parts,
  ctx: Ctx,
  projectId: string,
  cells: readonly string[],
): Promise<Server[]> {
  const { mappings } = await parts.global.getInstanceMappings(ctx, {
    serverIds: [],
    databases: [...cells],
    projectId,
    limit: MOST,
  });
  return mappings
    .filter((mapping) => !mapping.deleted)
    .map((mapping) =>
      sketchServer({
        id: mapping.serverId,
        projectId: mapping.projectId,
        createdAt: mapping.createdAt,
      }),
    );
}
