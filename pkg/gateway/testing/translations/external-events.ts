import {
  ExternalEventName,
  ExternalEventStatus,
} from "../../../../gen/kilonova/api/v1/external_events_service.js";
import type { Translation } from "./translation.js";
import { OTHER, SERVER, asAdmin, post } from "./translation.js";

export default [
  [
    "POST /os-server-external-events",
    "/os-server-external-events",
    {
      ...asAdmin(
        post({
          events: [
            { name: "network-vif-deleted", server_uuid: SERVER, tag: OTHER },
            { name: "volume-reimaged", server_uuid: SERVER, status: "failed" },
          ],
        }),
      ),
      version: "2.93",
    },
    "createExternalEvents",
    {
      events: [
        {
          name: ExternalEventName.EXTERNAL_EVENT_NAME_NETWORK_VIF_DELETED,
          serverId: SERVER,
          status: ExternalEventStatus.EXTERNAL_EVENT_STATUS_COMPLETED,
          tag: OTHER,
        },
        {
          name: ExternalEventName.EXTERNAL_EVENT_NAME_VOLUME_REIMAGED,
          serverId: SERVER,
          status: ExternalEventStatus.EXTERNAL_EVENT_STATUS_FAILED,
        },
      ],
    },
  ],
] satisfies readonly Translation[];
