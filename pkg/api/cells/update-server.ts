import type {
  UpdateInstanceRequest,
  UpdateInstanceResponse,
} from "../../../gen/kilonova/cells/v1/instances_service.js";
import type { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { ApiErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";

/** A record after a change at once, and whether it was different before. */
export interface ChangedServer {
  readonly server: Server;
  readonly changed: boolean;
}

/** States in which labels of a server may change. @source compute-api-states §4 */
export const LABEL_STATES = [
  VmState.VM_STATE_ACTIVE,
  VmState.VM_STATE_PAUSED,
  VmState.VM_STATE_SUSPENDED,
  VmState.VM_STATE_STOPPED,
];

/** Changes a server's record where it is. @throws SERVER_NOT_FOUND; what UpdateInstance of cells refuses */
export async function changeServer(
  parts: Parts,
  ctx: Call,
  serverId: string,
  change: Pick<UpdateInstanceRequest, "conditions"> &
    Partial<Pick<UpdateInstanceRequest, "metadata" | "tags" | "volume" | "expectedGeneration">>,
): Promise<ChangedServer> {
  const { instance, changed } = await parts.servers.at(
    ctx,
    serverId,
    (inner, database, id): Promise<UpdateInstanceResponse> =>
      parts.instances.updateInstance(inner, {
        database,
        projectId: parts.servers.scope(ctx),
        server: { id },
        updateMask: [],
        ...change,
      }),
  );
  if (instance?.server === undefined) throw ApiErrors.SERVER_NOT_FOUND({ server: serverId });
  return { server: instance.server, changed };
}
