import type { InstanceAction, InstanceActionEvent } from "../../../../gen/kilonova/api/v1/limits_service.js";
import type { Json } from "../../http/json.js";
import type { Microversion } from "../../microversion/version.js";
import { since, until } from "../../microversion/version.js";
import { longTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { orNone } from "../../../model/presence.js";

const TRACEBACK = "events.traceback";
const DETAILS = "events.details";
const orNull = (text: string | undefined): string | null => orNone(text) ?? null;

const eventFields: readonly Field<InstanceActionEvent, null>[] = [
  { name: "event", value: (e) => e.event },
  { name: "start_time", value: (e) => longTime(e.startedAt) },
  { name: "finish_time", value: (e) => longTime(e.finishedAt) },
  { name: "result", value: (e) => orNull(e.result) },
  { name: "traceback", hiddenAs: TRACEBACK, value: (e) => orNull(e.traceback) },
  { name: "hostId", span: since("2.62"), value: (e) => e.hostId ?? "" },
  { name: "host", span: since("2.62"), hiddenAs: "events.host", value: (e) => e.host ?? "" },
  { name: "details", span: since("2.84"), hiddenAs: DETAILS, value: (e) => orNull(e.details) },
  // What `api` tells in spite of it is for everybody.
  { name: "details", span: since("2.84"), onlyIfHidden: DETAILS, value: (e) => e.details },
];

/** Renders the events of one action. */
type EventsEnv = (events: readonly InstanceActionEvent[]) => Json;

const actionFields: readonly Field<InstanceAction, EventsEnv | null>[] = [
  { name: "action", value: (a) => a.action },
  { name: "instance_uuid", value: (a) => a.serverId },
  { name: "request_id", value: (a) => a.requestId },
  { name: "user_id", value: (a) => orNull(a.userId) },
  { name: "project_id", value: (a) => orNull(a.projectId) },
  { name: "start_time", value: (a) => longTime(a.startedAt) },
  { name: "message", value: (a) => orNull(a.message) },
  { name: "updated_at", span: since("2.58"), value: (a) => longTime(a.updatedAt) },
  // Only administrators saw events at first.
  { name: "events", span: until("2.50"), hiddenAs: TRACEBACK, value: (a, events) => events?.(a.events) },
  { name: "events", span: since("2.51"), value: (a, events) => events?.(a.events) },
];

export class ActionViews {
  readonly #events = new View<InstanceActionEvent, null>("event", eventFields);
  readonly #actions = new View<InstanceAction, EventsEnv | null>("action", actionFields);

  /** @param hidden  what policy keeps from the caller; undefined leaves the events out altogether */
  render(
    action: InstanceAction,
    version: Microversion,
    hidden: readonly string[] | undefined,
  ): Record<string, Json> {
    const events = this.#events.shape(version, hidden);
    return this.#actions
      .shape(version, hidden)
      .render(action, hidden ? (all) => all.map((event) => events.render(event, null)) : null);
  }
}
