import type {
  GetInstanceActionRequest,
  GetInstanceActionResponse,
  InstanceAction,
} from "../../../gen/kilonova/api/v1/limits_service.js";
import { hostIdOf } from "../../model/host-id.js";
import { orNone } from "../../model/presence.js";
import { ApiErrors } from "../errors.js";
import { id } from "../shape/common.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Parts } from "../parts.js";

/** What of an action's events a caller may see beyond their names and times. */
interface ActionMask {
  readonly events: boolean;
  readonly details: boolean;
}

/**
 * Reads one action. Hosts and tracebacks, and error details, each need a right of their own; why there is no
 * host for a server is told to all who may read the action.
 */
export const getInstanceAction = (
  parts: Parts,
): Guarded<GetInstanceActionRequest, GetInstanceActionResponse> =>
  guarded(
    { serverId: id, requestId: id },
    parts.servers.about({ withDeleted: true }),
    async (ctx, request, { server }) => {
      const { action } = await parts.servers.at(ctx, request.serverId, (inner, database, serverId) =>
        parts.instances.getAction(inner, { database, serverId, requestId: request.requestId }),
      );
      if (action === undefined) throw ApiErrors.ACTION_NOT_FOUND({ action: request.requestId });
      const mask = {
        events: ctx.rights.allows("os_compute_api:os-instance-actions:events"),
        details: ctx.rights.allows("os_compute_api:os-instance-actions:events:details"),
      };
      return { action: present(action, server.projectId, mask), hiddenFields: hidden(mask) };
    },
  );

/**
 * Reasons whose sentence is written for the owner of the server, who reads it in its fault as well: no rule
 * that guards what hosts say keeps it back.
 */
const TOLD_TO_OWNERS: ReadonlySet<string> = new Set(["NO_VALID_HOST"]);

const present = (action: InstanceAction, projectId: string, mask: ActionMask): InstanceAction => ({
  ...action,
  events: action.events.map((event) => ({
    ...event,
    hostId: orNone(hostIdOf(projectId, event.host ?? "")),
    host: mask.events ? event.host : undefined,
    traceback: mask.events ? event.traceback : undefined,
    details: mask.details || TOLD_TO_OWNERS.has(event.traceback ?? "") ? event.details : undefined,
  })),
});

const hidden = (mask: ActionMask): string[] => [
  ...(mask.events ? [] : ["events.host", "events.traceback"]),
  ...(mask.details ? [] : ["events.details"]),
];
