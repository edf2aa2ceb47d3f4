import type { UnshelveServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { stateRefusal } from "../../model/acceptance.js";
import { vmStateWord } from "../../model/instance-states.js";
import unshelve from "../../model/operations/unshelve-server.js";
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
 * state, whether it has a host, the zone, and who may name a host only then. What was found of the server
 * decides between its two ways: it is accepted as the same one, or found anew.
 */
export default action<UnshelveServerRequest>({
  method: "UnshelveServer",
  shape: { availabilityZone: optional(text({ max: 255 })), host: given(text({ max: 255 })) },
  input: async (ctx, request, loaded, parts) => {
    const { availabilityZone, host } = request;
    const { server } = loaded;
    const expectedGeneration = server.generation;
    const asksPlace = availabilityZone !== undefined || host !== undefined;
    if (server.vmState === VM_STATE_SHELVED && asksPlace)
      throw ShelveErrors.NOT_OFFLOADED({ server: server.id, state: vmStateWord(server.vmState) });
    if (server.vmState !== VM_STATE_SHELVED_OFFLOADED) return { expectedGeneration };
    // Of one that is locked or at work the acceptance tells, to those too who may not name a host.
    const isRefused = stateRefusal(server, unshelve.forms.elsewhere, ctx.rights.isAdmin) !== undefined;
    if (asksPlace && !isRefused) await requirePlace(ctx, request, loaded, parts);
    return {
      input: {
        offloaded: true,
        ...(availabilityZone === undefined ? {} : { movesZone: true, availabilityZone }),
        ...(host === undefined ? {} : { host }),
      },
      expectedGeneration,
      secrets: { userData: await userDataOf(parts, ctx, loaded) },
    };
  },
});

/**
 * Checks that zone and host are there and belong together, and that the caller may name a host. Hosts are
 * looked for in the server's own cell, which it does not leave. While a cell is silent and unknown, the
 * scheduler decides about zones.
 * @throws ZONE_NOT_AVAILABLE, FORBIDDEN, HOST_NOT_FOUND, HOST_NOT_IN_ZONE
 */
async function requirePlace(
  ctx: Call,
  { availabilityZone, host }: UnshelveServerRequest,
  { server, record, database }: LoadedServer,
  { directory }: Parts,
): Promise<void> {
  if (availabilityZone !== undefined && availabilityZone !== "") {
    const { cells, unreachable } = await directory.all(ctx);
    if (unreachable.length === 0 && !hasZone(cells, availabilityZone))
      throw CreateErrors.ZONE_NOT_AVAILABLE({ zone: availabilityZone });
  }
  if (host === undefined) return;
  ctx.rights.enforce("os_compute_api:os-shelve:unshelve_to_host", ownerOf(server));
  const service = (await directory.of(ctx, database)).byHost.get(host);
  if (service === undefined) throw CreateErrors.HOST_NOT_FOUND({ host });
  const zone = availabilityZone ?? record.spec?.availabilityZone ?? "";
  if (zone !== "" && service.availabilityZone !== zone) throw ShelveErrors.HOST_NOT_IN_ZONE({ host, zone });
}
