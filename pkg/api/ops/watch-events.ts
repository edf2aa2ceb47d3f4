import { WatchEventsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { WatchEventsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { Ctx } from "../../kernel/index.js";
import { parseUuid } from "../../kernel/index.js";
import { ownProject } from "../cells/servers.js";
import { bindingOf } from "../crypto/hashes.js";
import { decodeResumeToken } from "../events/resume-token.js";
import { EventWatch } from "../events/watch.js";
import { uuid } from "../shape/common.js";
import type { Shape } from "../shape/shape.js";
import { list, requireShape, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import { maskOf } from "../view/server-view.js";

const shape: Shape<WatchEventsRequest> = {
  serverIds: list(uuid),
  resumeToken: text({ max: 65_536, pattern: /^[A-Za-z0-9_.-]+$/, hint: "is not a resume token" }),
};

/** Streams what happens to the caller's servers, from now or from a token. */
export const watchEvents = (
  parts: Parts,
): ((ctx: Ctx, request: WatchEventsRequest) => AsyncIterable<WatchEventsResponse>) =>
  async function* watch(ctx, request) {
    requireShape(shape, request);
    parts.policy.enforce(ctx.actor, "os_compute_api:servers:detail");
    if (request.allProjects) parts.policy.enforce(ctx.actor, "os_compute_api:servers:detail:get_all_tenants");
    const projectId = request.allProjects ? "" : ownProject(ctx);
    const serverIds = new Set(request.serverIds.map((id) => parseUuid(id) ?? id));
    const bound = WatchEventsRequest.encode({
      ...request,
      resumeToken: "",
      serverIds: [...serverIds].sort(),
    }).finish();
    const binding = `${bindingOf(bound)}${bindingOf(Buffer.from(projectId))}`;
    const from =
      request.resumeToken === "" ? undefined : decodeResumeToken(parts.tokens, binding, request.resumeToken);
    const mask = maskOf(ctx, parts.policy, { hostInfo: true, userData: false });
    const giveBack = parts.watchPlaces.take(ctx.actor);
    try {
      yield* new EventWatch(parts, ctx, {
        binding,
        projectId,
        serverIds,
        withOperations: request.withOperations,
        mask,
      }).run(from);
    } finally {
      giveBack();
    }
  };
