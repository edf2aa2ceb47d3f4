import { RebuildServerRequest } from "../../../gen/kilonova/api/v1/server_actions.js";
import type { RebuildServerResponse } from "../../../gen/kilonova/api/v1/server_actions.js";
import { rebuiltFields } from "../../model/rebuilt-record.js";
import declaration from "../../model/operations/rebuild-server.js";
import { anyOperation } from "../../model/operation-declaration.js";
import { sortedMap } from "../crypto/hashes.js";
import type { Parts } from "../parts.js";
import { planRebuild } from "../rebuild/plan.js";
import { rebuildShape } from "../rebuild/shape.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import { hiddenFields, maskOf, presentServers } from "../view/server-view.js";
import { beginWith } from "./begin-operation.js";
import { behindState } from "./behind-state.js";

/** Whoever may rebuild sees the user data that the new guest gets, as in Nova. */
const ALWAYS_SEEN = "user_data";

/**
 * Begins to make a server anew. The record changes when the old disk goes; the answer shows it as it will be.
 */
export const rebuildServer = (parts: Parts): Guarded<RebuildServerRequest, RebuildServerResponse> =>
  guarded(rebuildShape, parts.servers.about({ withUserData: true }), async (ctx, request, loaded) => {
    const kind = anyOperation(declaration);
    const body = RebuildServerRequest.encode(withoutToken(request)).finish();
    const begun = await beginWith(
      parts,
      ctx,
      kind,
      { request, call: { method: "RebuildServer", body } },
      () => behindState(ctx, kind, loaded, () => planRebuild(parts, ctx, request, loaded)),
    );
    const { operation, replayed } = begun;
    // Who repeats the call hears of what it began, also when the server is gone since.
    const { server, database } = await parts.servers.load(ctx, request.serverId, {
      withUserData: true,
      withDeleted: replayed,
    });
    const shown = begun.replayed ? server : { ...server, ...rebuiltFields(server, begun.asked.input) };
    const userData = begun.replayed ? server.userData : begun.asked.secrets.userData;
    const mask = maskOf(ctx, { hostInfo: true, userData: true });
    const [presented] = await presentServers(ctx, parts.directory, mask, [{ server: shown, database }]);
    return {
      operation,
      server: presented && {
        ...presented,
        userData: userData === "" ? undefined : Buffer.from(userData, "base64"),
      },
      // It is stored nowhere in clear: a repeated call cannot tell it again.
      adminPassword: begun.replayed ? undefined : begun.asked.secrets.adminPassword,
      hiddenFields: hiddenFields(mask).filter((path) => path !== ALWAYS_SEEN),
    };
  });

/** Equal requests are encoded equally, in whatever order their maps came. */
const withoutToken = (request: RebuildServerRequest): RebuildServerRequest => ({
  ...request,
  clientToken: "",
  server: request.server && { ...request.server, metadata: sortedMap(request.server.metadata) },
});
