import type { Flavor } from "../../../../gen/kilonova/type/v1/flavor.js";
import type { JsonObject } from "../../http/json.js";
import type { Links } from "../../http/links.js";
import { never, since, until } from "../../microversion/version.js";
import type { Field } from "../../view/view.js";
import { View } from "../../view/view.js";

type Forms = "brief" | "full";
const fullOnly = { brief: never } as const;

/** Swap of size zero is an empty text in the older form. */
const emptyIfZero = (mib: number): number | "" => (mib === 0 ? "" : mib);
export const textsOf = (map: ReadonlyMap<string, string>): JsonObject => Object.fromEntries(map);

const fields: readonly Field<Flavor, Links, Forms>[] = [
  { name: "id", value: (f) => f.id },
  { name: "name", value: (f) => f.name },
  { name: "ram", forms: fullOnly, value: (f) => f.memoryMib },
  { name: "disk", forms: fullOnly, value: (f) => f.rootGib },
  { name: "swap", span: until("2.74"), forms: fullOnly, value: (f) => emptyIfZero(f.swapMib) },
  { name: "swap", span: since("2.75"), forms: fullOnly, value: (f) => f.swapMib },
  { name: "OS-FLV-EXT-DATA:ephemeral", forms: fullOnly, value: (f) => f.ephemeralGib },
  { name: "OS-FLV-DISABLED:disabled", span: until("2.101"), forms: fullOnly, value: (f) => f.disabled },
  { name: "vcpus", forms: fullOnly, value: (f) => f.vcpus },
  { name: "os-flavor-access:is_public", forms: fullOnly, value: (f) => f.isPublic },
  { name: "rxtx_factor", span: until("2.101"), forms: fullOnly, value: (f) => f.rxtxFactor },
  { name: "links", value: (f, links) => links.both("flavors", f.id) },
  { name: "description", span: since("2.55"), value: (f) => f.description ?? null },
  {
    name: "extra_specs",
    span: since("2.61"),
    forms: fullOnly,
    hiddenAs: "extra_specs",
    value: (f) => textsOf(f.extraSpecs),
  },
];

/** One item of `GET /flavors`. */
export const briefFlavor = (): View<Flavor, Links> => new View("brief", fields);
/** Everywhere else. */
export const fullFlavor = (): View<Flavor, Links> => new View("full", fields);

/** Who may use a private flavor. */
export const accessList = (flavor: Flavor): JsonObject => ({
  flavor_access: [...flavor.projectIds].map((projectId) => ({ flavor_id: flavor.id, tenant_id: projectId })),
});
