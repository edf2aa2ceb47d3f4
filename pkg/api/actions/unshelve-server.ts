import type { UnshelveServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import { vmStateWord } from "../../model/instance-states.js";
import type { LoadedServer } from "../cells/servers.js";
import { ownerOf } from "../cells/servers.js";
import { ShelveErrors } from "../errors.js";
import type { Call } from "../rights/rights.js";
import { given, optional, text } from "../shape/shape.js";
import { action } from "./action.js";

const { VM_STATE_SHELVED } = VmState;

/**
 * A server that has its host goes on there: neither zone nor host can be asked for. In Nova's order: lock and
 * state come first, both are judged with the acceptance.
 */
export default action<UnshelveServerRequest>({
  method: "UnshelveServer",
  shape: { availabilityZone: optional(text({ max: 255 })), host: given(text({ max: 255 })) },
  input: (ctx, { availabilityZone, host }, { server }) => {
    if (availabilityZone === undefined && host === undefined) return {};
    if (server.vmState === VM_STATE_SHELVED && !isLockedFor(ctx, server))
      throw ShelveErrors.NOT_OFFLOADED({ server: server.id, state: vmStateWord(server.vmState) });
    if (host !== undefined) ctx.rights.enforce("os_compute_api:os-shelve:unshelve_to_host", ownerOf(server));
    return {};
  },
});

const isLockedFor = (ctx: Call, { lock }: LoadedServer["server"]): boolean =>
  lock !== undefined && !ctx.rights.isAdmin;
