import type { Server } from "../../../../gen/kilonova/api/v1/server.js";
import type { Links } from "../../http/links.js";
import { never } from "../../microversion/version.js";
import { shortTime } from "../../view/times.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

/** One item of the short list. */
export const briefServer = (): View<Server, Links> =>
  new View("brief", [
    { name: "id", value: (s) => s.id },
    { name: "name", value: (s) => s.name },
    { name: "links", value: (s, links) => links.both("servers", s.id) },
  ]);

type DownForm = "brief" | "detail" | "show";
const showOnly = { brief: never, detail: never } as const;
/** Owner, flavor and image lie in the silent cell too. */
const downFields: readonly Field<Server, Links, DownForm>[] = [
  { name: "id", value: (s) => s.id },
  { name: "status", value: () => "UNKNOWN" },
  { name: "created", forms: { brief: never }, value: (s) => shortTime(s.createdAt) },
  { name: "tenant_id", forms: { brief: never }, value: (s) => s.projectId },
  { name: "OS-EXT-AZ:availability_zone", forms: showOnly, value: () => "UNKNOWN" },
  { name: "OS-EXT-STS:power_state", forms: showOnly, value: () => 0 },
  { name: "links", value: (s, links) => links.both("servers", s.id) },
];

/** What is shown of servers whose cell does not answer: no more than is known without it. */
export const downServer = (form: DownForm): View<Server, Links> => new View(form, downFields);
