import { ExternalEventName } from "../../../../gen/kilonova/api/v1/external_events_service.js";
import type { Span } from "../../microversion/version.js";
import { always, inSpan, since } from "../../microversion/version.js";
import { array, choice, object, optional, required, text, uuid } from "../../schema/nodes.js";
import type { Node } from "../../schema/nodes.js";

const KINDS: readonly (readonly [word: string, name: ExternalEventName, span: Span])[] = [
  ["network-changed", ExternalEventName.EXTERNAL_EVENT_NAME_NETWORK_CHANGED, always],
  ["network-vif-plugged", ExternalEventName.EXTERNAL_EVENT_NAME_NETWORK_VIF_PLUGGED, always],
  ["network-vif-unplugged", ExternalEventName.EXTERNAL_EVENT_NAME_NETWORK_VIF_UNPLUGGED, always],
  ["network-vif-deleted", ExternalEventName.EXTERNAL_EVENT_NAME_NETWORK_VIF_DELETED, always],
  ["volume-extended", ExternalEventName.EXTERNAL_EVENT_NAME_VOLUME_EXTENDED, since("2.51")],
  ["power-update", ExternalEventName.EXTERNAL_EVENT_NAME_POWER_UPDATE, since("2.76")],
  [
    "accelerator-request-bound",
    ExternalEventName.EXTERNAL_EVENT_NAME_ACCELERATOR_REQUEST_BOUND,
    since("2.82"),
  ],
  ["volume-reimaged", ExternalEventName.EXTERNAL_EVENT_NAME_VOLUME_REIMAGED, since("2.93")],
];

/** Events by Nova's words. */
export const NAMES: ReadonlyMap<string, ExternalEventName> = new Map(
  KINDS.map(([word, name]) => [word, name]),
);

const eventName: Node = (env) =>
  choice(...KINDS.filter(([, , span]) => inSpan(env.version, span)).map(([word]) => word))(env);

export const eventsBody: Node = object([
  required(
    "events",
    array(
      object([
        required("server_uuid", uuid),
        required("name", eventName),
        optional("status", choice("failed", "completed", "in-progress")),
        optional("tag", text({ maxLength: 255 })),
      ]),
      { minItems: 1 },
    ),
  ),
]);
