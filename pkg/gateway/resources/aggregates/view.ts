import type { Aggregate } from "../../../../gen/kilonova/api/v1/aggregates_service.js";
import { never, since } from "../../microversion/version.js";
import { longTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";
import { textsOf } from "../flavors/view.js";

/** `created` lacks what a new aggregate cannot have yet. */
type AggregateForm = "created" | "full";
type AggregateEnv = Record<string, never>;

const fields: readonly Field<Aggregate, AggregateEnv, AggregateForm>[] = [
  { name: "availability_zone", value: (a) => a.availabilityZone ?? null },
  { name: "created_at", value: (a) => longTime(a.createdAt) },
  { name: "deleted", value: () => false },
  { name: "deleted_at", value: () => null },
  { name: "hosts", forms: { created: never }, value: (a) => a.hosts },
  { name: "id", value: (a) => Number(a.number) },
  { name: "metadata", forms: { created: never }, value: (a) => textsOf(a.metadata) },
  { name: "name", value: (a) => a.name },
  { name: "updated_at", value: (a) => (a.updatedAt === undefined ? null : longTime(a.updatedAt)) },
  { name: "uuid", span: since("2.41"), value: (a) => a.id },
];

export const aggregateView = (form: AggregateForm): View<Aggregate, AggregateEnv> => new View(form, fields);
