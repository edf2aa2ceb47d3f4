import type { ComputeService } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { since, until } from "../../microversion/version.js";
import { longTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

/** Services and hypervisors are told by number before this span, by UUID in it. */
export const byUuid = since("2.53");

export const statusWord = (service: ComputeService): "enabled" | "disabled" =>
  service.disabled ? "disabled" : "enabled";
export const stateWord = (service: ComputeService): "up" | "down" => (service.up ? "up" : "down");

const fields: readonly Field<ComputeService, null>[] = [
  { name: "id", span: until("2.52"), value: (s) => Number(s.number) },
  { name: "id", span: byUuid, value: (s) => s.id },
  { name: "binary", value: (s) => s.binary },
  { name: "host", value: (s) => s.host },
  { name: "zone", value: (s) => s.zone },
  { name: "status", value: statusWord },
  { name: "state", value: stateWord },
  { name: "updated_at", value: (s) => longTime(s.updatedAt) },
  { name: "disabled_reason", value: (s) => s.disabledReason ?? null },
  { name: "forced_down", span: since("2.11"), value: (s) => s.forcedDown },
];

export const serviceView = (): View<ComputeService, null> => new View("full", fields);
