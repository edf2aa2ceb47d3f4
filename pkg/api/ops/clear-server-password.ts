import type {
  ClearServerPasswordRequest,
  ClearServerPasswordResponse,
} from "../../../gen/kilonova/api/v1/server_details.js";
import { id } from "../shape/common.js";
import type { Unary } from "../shape/shape.js";
import { checked } from "../shape/shape.js";
import type { Parts } from "../parts.js";

/** Forgets what the guest posted, in any state and whatever runs; a lock does not stop it, as in Nova. */
export const clearServerPassword = (
  parts: Parts,
): Unary<ClearServerPasswordRequest, ClearServerPasswordResponse> =>
  checked<ClearServerPasswordRequest, ClearServerPasswordResponse>(
    { serverId: id },
    async (ctx, { serverId }) => {
      await parts.servers.loadFor(ctx, "os_compute_api:os-server-password:clear", serverId);
      await parts.servers.at(ctx, serverId, (inner, database, found) =>
        parts.instances.clearServerPassword(inner, {
          database,
          serverId: found,
          projectId: parts.servers.scope(ctx),
        }),
      );
      return {};
    },
  );
