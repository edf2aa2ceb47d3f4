import type { MigrateServerRequest } from "../../../gen/kilonova/api/v1/server_moves.js";
import { awayFrom, hostOf, requireOtherHost, requireUp } from "../moves/ends.js";
import { given, text } from "../shape/shape.js";
import { action } from "./action.js";

/** As in Nova, who may name a host need not be one who may let the scheduler choose. */
export default action<MigrateServerRequest>({
  method: "MigrateServer",
  shape: { host: given(text({ max: 255 })) },
  decides: ({ host }) => (host === undefined ? undefined : "os_compute_api:os-migrate-server:migrate:host"),
  input: async (ctx, { host }, loaded, parts) => {
    const { server } = loaded;
    await requireUp(parts, ctx, loaded, hostOf(server));
    if (host !== undefined) await requireOtherHost(parts, ctx, loaded, host);
    return {
      input: { ...(host === undefined ? {} : { host }), ...awayFrom(loaded) },
      expectedGeneration: server.generation,
    };
  },
});
