import type {
  ClearServerPasswordRequest,
  ClearServerPasswordResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";

/** Forgets what the guest posted, in any state and whatever runs; a lock does not stop it, as in Nova. */
export const clearServerPassword = (
  parts: Parts,
): Guarded<ClearServerPasswordRequest, ClearServerPasswordResponse> =>
  guarded({ serverId: id }, parts.servers.about(), async (ctx, { serverId }) => {
    await parts.servers.at(ctx, serverId, (inner, database, found) =>
      parts.instances.clearServerPassword(inner, {
        database,
        serverId: found,
        projectId: parts.servers.scope(ctx),
      }),
    );
    return {};
  });
