import type { WatchEventsRequest } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { WatchEventsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import { parseUuid } from "../../kernel/index.js";
import { ownProject } from "../cells/servers.js";
import { decodeResumeToken } from "../events/resume-token.js";
import { EventWatch } from "../events/watch.js";
import { watchBinding } from "../events/watch-binding.js";
import { uuid } from "../shape/common.js";
import type { Shape } from "../shape/shape.js";
import { list, text } from "../shape/shape.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { maskOf } from "../view/server-view.js";

const shape: Shape<WatchEventsRequest> = {
  serverIds: list(uuid),
  resumeToken: text({ max: 65_536, pattern: /^[A-Za-z0-9_.-]+$/, hint: "is not a resume token" }),
};

/** Streams what happens to the caller's servers, from now or from a token. */
export const watchEvents = (parts: Parts): Guarded<WatchEventsRequest, AsyncIterable<WatchEventsResponse>> =>
  guarded(shape, own, async (ctx, request) => {
    if (request.allProjects) ctx.rights.enforce("os_compute_api:servers:detail:get_all_tenants");
    const projectId = request.allProjects ? "" : ownProject(ctx);
    const serverIds = new Set(request.serverIds.map((id) => parseUuid(id) ?? id));
    const binding = watchBinding({ allProjects: request.allProjects, serverIds: [...serverIds] }, projectId);
    const from =
      request.resumeToken === "" ? undefined : decodeResumeToken(parts.tokens, binding, request.resumeToken);
    const mask = maskOf(ctx, { hostInfo: true, userData: false });
    const events = new EventWatch(parts, ctx, {
      binding,
      projectId,
      serverIds,
      withOperations: request.withOperations,
      mask,
    }).run(from);
    return inPlace(parts, ctx, events);
  });

/** Takes one of the places that the caller's project and token have, until the watch ends. */
async function* inPlace(parts: Parts, ctx: Call, events: AsyncIterable<WatchEventsResponse>) {
  const giveBack = parts.watchPlaces.take(ctx.actor);
  try {
    yield* events;
  } finally {
    giveBack();
  }
}
