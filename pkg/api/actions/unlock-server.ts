import type { UnlockServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import { partyOf } from "../../model/server-lock.js";
import { ownerOf } from "../cells/servers.js";
import { action } from "./action.js";

/**
 * The other party's lock needs one more rule: also one that comes while this is under way, so that who
 * unlocks again and again does not take it away.
 */
export default action<UnlockServerRequest>({
  method: "UnlockServer",
  shape: {},
  input: (ctx, _request, { server }) => {
    const { lock, generation: expectedGeneration } = server;
    if (lock === undefined || lock.lockedBy === partyOf(server, ctx.actor)) return { expectedGeneration };
    ctx.rights.enforce("os_compute_api:os-lock-server:unlock:unlock_override", ownerOf(server));
    return {};
  },
});
