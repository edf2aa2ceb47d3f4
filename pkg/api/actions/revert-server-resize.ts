import type { RevertServerResizeRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { finishedMove, hostOf, requireUp } from "../moves/ends.js";
import { action } from "./action.js";

/** Both hosts must be there: its guest goes from one, and is started on the other. */
export default action<RevertServerResizeRequest>({
  method: "RevertServerResize",
  shape: {},
  input: async (ctx, _request, loaded, parts) => {
    const { server } = loaded;
    const { id: migrationId, source } = await finishedMove(parts, ctx, loaded);
    await requireUp(parts, ctx, loaded, hostOf(server), source?.host ?? "");
    return { input: { migrationId }, expectedGeneration: server.generation };
  },
});
