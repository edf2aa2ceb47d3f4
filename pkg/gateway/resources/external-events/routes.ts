import {
  ExternalEventName,
  ExternalEventResult,
  ExternalEventStatus,
} from "../../../../gen/kilonova/api/v1/external_events_service.js";
import { KilonovaError } from "../../../kernel/index.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { listOf, textOf } from "../../http/fields.js";
import type { JsonObject } from "../../http/json.js";
import { isObject } from "../../http/json.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { NAMES, eventsBody } from "./schemas.js";

const STATUSES: ReadonlyMap<string, ExternalEventStatus> = new Map([
  ["completed", ExternalEventStatus.EXTERNAL_EVENT_STATUS_COMPLETED],
  ["failed", ExternalEventStatus.EXTERNAL_EVENT_STATUS_FAILED],
  ["in-progress", ExternalEventStatus.EXTERNAL_EVENT_STATUS_IN_PROGRESS],
]);

const CODES: Readonly<Record<number, number>> = {
  [ExternalEventResult.EXTERNAL_EVENT_RESULT_ACCEPTED]: 200,
  [ExternalEventResult.EXTERNAL_EVENT_RESULT_INVALID]: 400,
  [ExternalEventResult.EXTERNAL_EVENT_RESULT_SERVER_NOT_FOUND]: 404,
  [ExternalEventResult.EXTERNAL_EVENT_RESULT_NO_HOST]: 422,
};

/** Each event is answered as it came, with what became of it: 207 when not all of them were taken. */
export function externalEventRoutes({ externalEvents }: Pick<ApiClients, "externalEvents">): Operation[] {
  return [
    {
      route: "POST /os-server-external-events",
      body: eventsBody,
      handle: async (request) => {
        const asked = eventsOf(request);
        const codes = (await resultsOf(externalEvents, request, asked)).map((result) => CODES[result] ?? 400);
        const events = asked.map((one, index) => {
          const code = codes[index] ?? 400;
          return { ...one, status: code === 200 ? "completed" : "failed", code };
        });
        return replyJson({ events }, { status: codes.every((code) => code === 200) ? 200 : 207 });
      },
    },
  ];
}

const eventsOf = ({ body }: ApiRequest): readonly JsonObject[] =>
  isObject(body) ? listOf(body, "events").filter((one) => isObject(one)) : [];

/** Nova has no error for events of which no server is known. */
async function resultsOf(
  externalEvents: ApiClients["externalEvents"],
  { ctx }: ApiRequest,
  asked: readonly JsonObject[],
): Promise<readonly ExternalEventResult[]> {
  try {
    const events = asked.map((one) => ({
      name: NAMES.get(textOf(one, "name") ?? "") ?? ExternalEventName.EXTERNAL_EVENT_NAME_UNSPECIFIED,
      serverId: textOf(one, "server_uuid") ?? "",
      status: STATUSES.get(textOf(one, "status") ?? "completed") ?? 0,
      tag: textOf(one, "tag") ?? "",
    }));
    return (await externalEvents.createExternalEvents(ctx, { events })).results;
  } catch (error) {
    if (error instanceof KilonovaError && error.reason === "SERVER_NOT_FOUND")
      return asked.map(() => ExternalEventResult.EXTERNAL_EVENT_RESULT_SERVER_NOT_FOUND);
    throw error;
  }
}
