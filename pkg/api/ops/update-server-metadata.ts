import type {
  UpdateServerMetadataRequest,
  UpdateServerMetadataResponse,
} from "../../../gen/kilonova/api/v1/server_metadata_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { RuleName } from "../../policy/index.js";
import { LABEL_STATES, changeServer } from "../cells/update-server.js";
import { id, metadataKey, metadataValue } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { map } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** Merges items into a server's metadata, or replaces all of it. */
export const updateServerMetadata = (
  parts: Parts,
): Guarded<UpdateServerMetadataRequest, UpdateServerMetadataResponse> =>
  guarded(
    { serverId: id, metadata: map(metadataKey, metadataValue) },
    async (ctx, request) => ({ ...(await parts.servers.about()(ctx, request)), decides: ruleOf(request) }),
    async (ctx, request, { server: before }) => {
      const { server } = await changeServer(parts, ctx, request.serverId, {
        metadata: {
          set: request.metadata,
          remove: [],
          replaceAll: request.replaceAll,
          maxItems: await limitOf(parts, ctx, before.projectId),
        },
        conditions: metadataConditions(ctx, "update metadata"),
        expectedGeneration: request.expectedGeneration,
      });
      return { metadata: server.metadata, generation: server.generation };
    },
  );

function ruleOf({ replaceAll, singleItem }: UpdateServerMetadataRequest): RuleName {
  if (replaceAll) return "os_compute_api:server-metadata:update_all";
  return singleItem ? "os_compute_api:server-metadata:update" : "os_compute_api:server-metadata:create";
}

async function limitOf(parts: Parts, ctx: Ctx, projectId: string): Promise<bigint> {
  const { limits } = await parts.global.getQuota(ctx, { projectId, userId: ctx.actor.userId });
  return limits.find(({ resource }) => resource === "metadata_items")?.limit ?? -1n;
}

/** What a change of metadata needs: a lasting state, and no lock. */
export const metadataConditions = (ctx: Call, verb: string) => ({
  verb,
  allowedVmStates: LABEL_STATES,
  checkLock: true,
  bypassLock: ctx.rights.isAdmin,
  mustHaveLaunched: true,
});
