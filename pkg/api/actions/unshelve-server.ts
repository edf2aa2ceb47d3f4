import type { UnshelveServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { vmStateWord } from "../../model/instance-states.js";
import type { LoadedServer } from "../cells/servers.js";
import { ownerOf } from "../cells/servers.js";
import { userDataOf } from "../cells/user-data.js";
import { hasZone } from "../create/place.js";
import { CreateErrors, ShelveErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { given, optional, text } from "../shape/shape.js";
import { action } from "./action.js";

const { VM_STATE_SHELVED, VM_STATE_SHELVED_OFFLOADED } = VmState;

/**
 * A server that has its host goes on there: neither zone nor host can be asked for. In Nova's order: lock and
 * state come first, both are judged with the acceptance.
 */
export default action<UnshelveServerRequest>({
  method: "UnshelveServer",
  shape: { availabilityZone: optional(text({ max: 255 })), host: given(text({ max: 255 })) },
  input: async (ctx, request, loaded, parts) => {
    const { availabilityZone, host } = request;
    const { server } = loaded;
    const asksPlace = availabilityZone !== undefined || host !== undefined;
    if (server.vmState === VM_STATE_SHELVED && asksPlace && !isLockedFor(ctx, server))
      throw ShelveErrors.NOT_OFFLOADED({ server: server.id, state: vmStateWord(server.vmState) });
    if (host !== undefined) ctx.rights.enforce("os_compute_api:os-shelve:unshelve_to_host", ownerOf(server));
    if (server.vmState !== VM_STATE_SHELVED_OFFLOADED) return {};
    if (asksPlace && !isLockedFor(ctx, server)) await requirePlace(ctx, request, loaded, parts);
    return {
      input: {
        offloaded: true,
        ...(availabilityZone === undefined ? {} : { movesZone: true, availabilityZone }),
        ...(host === undefined ? {} : { host }),
      },
      secrets: { userData: await userDataOf(parts, ctx, loaded) },
    };
  },
});

const isLockedFor = (ctx: Call, { lock }: LoadedServer["server"]): boolean =>
  lock !== undefined && !ctx.rights.isAdmin;

/**
 * Checks that zone and host are there and belong together. While a cell is silent and unknown, the scheduler
 * decides.
 * @throws ZONE_NOT_AVAILABLE, HOST_NOT_FOUND, HOST_NOT_IN_ZONE
 */
async function requirePlace(
  ctx: Call,
  { availabilityZone, host }: UnshelveServerRequest,
  { record }: LoadedServer,
  { directory }: Parts,
): Promise<void> {
  const { cells, unreachable } = await directory.all(ctx);
  if (unreachable.length > 0) return;
  if (availabilityZone !== undefined && availabilityZone !== "" && !hasZone(cells, availabilityZone))
    throw CreateErrors.ZONE_NOT_AVAILABLE({ zone: availabilityZone });
  if (host === undefined) return;
  const service = cells.map(({ byHost }) => byHost.get(host)).find((one) => one !== undefined);
  if (service === undefined) throw CreateErrors.HOST_NOT_FOUND({ host });
  const zone = availabilityZone ?? record.spec?.availabilityZone ?? "";
  if (zone !== "" && service.availabilityZone !== zone) throw ShelveErrors.HOST_NOT_IN_ZONE({ host, zone });
}
