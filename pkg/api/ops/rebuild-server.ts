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
import { acceptOn } from "./begin-operation.js";
import { behindState } from "./behind-state.js";

/** Whoever may rebuild sees the user data that the new guest gets, as in Nova. */
const ALWAYS_SEEN = "user_data";

/**
 * Begins to make a server anew. The record changes when the old disk goes; the answer shows it as it will be.
 */
export const rebuildServer = (parts: Parts): Guarded<RebuildServerRequest, RebuildServerResponse> =>
  guarded(rebuildShape, parts.servers.about({ withUserData: true }), async (ctx, request, loaded) => {
    const kind = anyOperation(declaration);
    const { input, secrets } = await behindState(ctx, kind, loaded, () =>
      planRebuild(parts, ctx, request, loaded),
    );
    const { operation, replayed } = await acceptOn(parts, ctx, kind, request, {
      method: "RebuildServer",
      body: RebuildServerRequest.encode(withoutToken(request)).finish(),
      input,
      secrets,
    });
    const { server, database } = await parts.servers.load(ctx, request.serverId, { withUserData: true });
    const shown = replayed ? server : { ...server, ...rebuiltFields(server, input) };
    const userData = replayed ? server.userData : secrets.userData;
    const mask = maskOf(ctx, { hostInfo: true, userData: true });
    const [presented] = await presentServers(ctx, parts.directory, mask, [{ server: shown, database }]);
    return {
      operation,
      server: presented && {
        ...presented,
        userData: userData === "" ? undefined : Buffer.from(userData, "base64"),
      },
      // It is stored nowhere in clear: a repeated call cannot tell it again.
      adminPassword: replayed ? undefined : secrets.adminPassword,
      hiddenFields: hiddenFields(mask).filter((path) => path !== ALWAYS_SEEN),
    };
  });

/** Equal requests are encoded equally, in whatever order their maps came. */
const withoutToken = (request: RebuildServerRequest): RebuildServerRequest => ({
  ...request,
  clientToken: "",
  server: request.server && { ...request.server, metadata: sortedMap(request.server.metadata) },
});
