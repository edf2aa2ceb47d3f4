import {
  CreateExternalEventsRequest,
  ExternalEventName,
  ExternalEventResult,
  ExternalEventStatus,
} from "../../../gen/kilonova/api/v1/external_events_service.js";
import type {
  CreateExternalEventsResponse,
  ExternalEvent,
} from "../../../gen/kilonova/api/v1/external_events_service.js";
import { mapLimit, merged, parseUuid } from "../../kernel/index.js";
import type { LoadedServer } from "../cells/servers.js";
import { bodyHash } from "../crypto/hashes.js";
import { ApiErrors } from "../errors.js";
import { ifFound } from "../interfaces/ports-of.js";
import { refreshInterfaces } from "../interfaces/refresh.js";
import { TaskState } from "../../model/instance-states.js";
import { VOLUME_REIMAGED } from "../../model/signals.js";
import type { Call } from "../rights/rights.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded, own } from "../rights/guarded.js";
import { devicesOf } from "../volumes/devices.js";
import { extendVolume } from "../volumes/extend.js";
import { clientToken, id } from "../shape/common.js";
import type { Rule } from "../shape/shape.js";
import { list, object, oneOf, text } from "../shape/shape.js";

const MAX_EVENTS = 1000;
const SERVERS_AT_ONCE = 16;

const Name = ExternalEventName;
const Result = ExternalEventResult;

/** Events that mean nothing without what they are about. @source nova server_external_events.TAG_REQUIRED */
const NEED_TAG: ReadonlySet<ExternalEventName> = new Set<ExternalEventName>([
  Name.EXTERNAL_EVENT_NAME_VOLUME_EXTENDED,
  Name.EXTERNAL_EVENT_NAME_POWER_UPDATE,
  Name.EXTERNAL_EVENT_NAME_ACCELERATOR_REQUEST_BOUND,
]);

/** Events after which a server's ports are looked at. Others wake whoever waits for them, if anybody does. */
const OF_PORTS: ReadonlySet<ExternalEventName> = new Set<ExternalEventName>([
  Name.EXTERNAL_EVENT_NAME_NETWORK_CHANGED,
  Name.EXTERNAL_EVENT_NAME_NETWORK_VIF_DELETED,
]);

const event = object<ExternalEvent>({
  name: oneOf(ExternalEventName, { unset: false }),
  serverId: id,
  status: oneOf(ExternalEventStatus),
  tag: text({ max: 255 }),
});
const events: Rule<readonly ExternalEvent[]> = (value, path, report) => {
  if (value.length === 0) report(path, "must not be empty");
  list(event, MAX_EVENTS)([...value], path, report);
};

/** Takes what other services say about servers. What a server's ports are now is read once for all of it. */
export const createExternalEvents = (
  parts: Parts,
): Guarded<CreateExternalEventsRequest, CreateExternalEventsResponse> =>
  guarded({ events, clientToken }, own, async (asked, request) => {
    // The Network service speaks of servers of all projects.
    const ctx = merged(asked, { rights: asked.rights.everywhere });
    const ids = [...new Set(request.events.map(({ serverId }) => serverOf(serverId)))];
    const loaded = new Map(
      await mapLimit(ids, SERVERS_AT_ONCE, async (serverId) => {
        const found = await ifFound(parts.servers.load(ctx, serverId));
        return [serverId, found] as const;
      }),
    );
    const results = request.events.map((one) => resultOf(one, loaded.get(serverOf(one.serverId))));
    if (results.every((result) => result === Result.EXTERNAL_EVENT_RESULT_SERVER_NOT_FOUND))
      throw ApiErrors.SERVER_NOT_FOUND({ server: ids.join(", ") });
    const changed = new Set(
      request.events.flatMap(({ name, serverId }, index) =>
        results[index] === Result.EXTERNAL_EVENT_RESULT_ACCEPTED && OF_PORTS.has(name)
          ? [serverOf(serverId)]
          : [],
      ),
    );
    const { clientToken: token } = request;
    const body = CreateExternalEventsRequest.encode({ ...request, clientToken: "" }).finish();
    await mapLimit([...changed], SERVERS_AT_ONCE, (serverId) =>
      refreshInterfaces(
        parts,
        ctx,
        { serverId, clientToken: tokenOf(token, serverId) },
        { method: "CreateExternalEvents", body },
      ),
    );
    const extended = request.events.flatMap(({ name, serverId, tag }, index) =>
      results[index] === Result.EXTERNAL_EVENT_RESULT_ACCEPTED &&
      name === Name.EXTERNAL_EVENT_NAME_VOLUME_EXTENDED
        ? [{ serverId: serverOf(serverId), volumeId: parseUuid(tag) ?? tag, index }]
        : [],
    );
    await mapLimit(extended, SERVERS_AT_ONCE, ({ serverId, volumeId, index }) =>
      // Two that say the same are two: a volume may grow twice.
      extendVolume(
        parts,
        ctx,
        { serverId, volumeId, clientToken: tokenOf(token, `${serverId} ${volumeId} ${index}`) },
        { method: "CreateExternalEvents", body },
      ),
    );
    await mapLimit(request.events, SERVERS_AT_ONCE, async (one, index) => {
      const to = loaded.get(serverOf(one.serverId));
      if (results[index] === Result.EXTERNAL_EVENT_RESULT_ACCEPTED && to !== undefined)
        await tellRebuild(parts, ctx, one, to);
    });
    return { results };
  });

const REBUILDING: ReadonlySet<string> = new Set([
  TaskState.rebuilding,
  TaskState.rebuildBlockDeviceMapping,
  TaskState.rebuildSpawning,
]);

/**
 * A rebuild waits for its root volume, and for no other one; it looks by itself, too, when nobody can tell
 * it.
 */
async function tellRebuild(
  parts: Parts,
  ctx: Call,
  { name, status, tag }: ExternalEvent,
  { server, database }: LoadedServer,
): Promise<void> {
  const { operations, guard, ids } = parts;
  const { currentOperation, taskState } = server;
  if (name !== Name.EXTERNAL_EVENT_NAME_VOLUME_REIMAGED || !REBUILDING.has(taskState)) return;
  const failed = status === ExternalEventStatus.EXTERNAL_EVENT_STATUS_FAILED;
  const signal = { kind: VOLUME_REIMAGED, payload: Buffer.from(failed ? "failed" : "completed") };
  try {
    const root = (await devicesOf(parts, ctx, { server, database })).find(({ bootIndex }) => bootIndex === 0);
    if (root === undefined || root.volumeId !== parseUuid(tag)) return;
    await guard.call(ctx, database, (inner) =>
      operations.signalOperation(inner, {
        database,
        name: currentOperation,
        signalId: `${root.volumeId}/${ids.uuid()}`,
        ...signal,
      }),
    );
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.warn("api.event.not-told", { operation: currentOperation, error });
  }
}

const serverOf = (serverId: string): string => parseUuid(serverId) ?? serverId;

function resultOf({ name, tag }: ExternalEvent, loaded: LoadedServer | undefined): ExternalEventResult {
  if (loaded === undefined) return Result.EXTERNAL_EVENT_RESULT_SERVER_NOT_FOUND;
  if (NEED_TAG.has(name) && tag === "") return Result.EXTERNAL_EVENT_RESULT_INVALID;
  if ((loaded.server.hostInfo?.host ?? "") === "") return Result.EXTERNAL_EVENT_RESULT_NO_HOST;
  return Result.EXTERNAL_EVENT_RESULT_ACCEPTED;
}

/** One token for each operation that the call begins. @param subject  what it is about */
const tokenOf = (clientToken: string, subject: string): string =>
  clientToken === "" ? "" : Buffer.from(bodyHash(Buffer.from(`${clientToken} ${subject}`))).toString("hex");
