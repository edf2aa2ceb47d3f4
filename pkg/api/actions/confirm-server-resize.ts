import type { ConfirmServerResizeRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { finishedMove, requireUp } from "../moves/ends.js";
import { action } from "./action.js";

/** The host that it has left must be there, so that what it left there goes. */
export default action<ConfirmServerResizeRequest>({
  method: "ConfirmServerResize",
  shape: {},
  input: async (ctx, _request, loaded, parts) => {
    const { id: migrationId, source } = await finishedMove(parts, ctx, loaded);
    await requireUp(parts, ctx, loaded, source?.host ?? "");
    return { input: { migrationId }, expectedGeneration: loaded.server.generation };
  },
});
