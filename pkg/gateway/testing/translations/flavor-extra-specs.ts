import type { Translation } from "./translation.js";
import { asAdmin, post } from "./translation.js";

export default [
  [
    "GET /flavors/{id}/os-extra_specs",
    "/flavors/7/os-extra_specs",
    {},
    "getFlavor",
    { flavorId: "7", withExtraSpecs: true },
  ],
  [
    "GET /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/7/os-extra_specs/k",
    {},
    "getFlavor",
    { flavorId: "7", extraSpecKey: "k" },
  ],
  [
    "POST /flavors/{id}/os-extra_specs",
    "/flavors/7/os-extra_specs",
    asAdmin(post({ extra_specs: { k: "v" } })),
    "setFlavorExtraSpecs",
    { flavorId: "7", extraSpecs: new Map([["k", "v"]]) },
  ],
  [
    "PUT /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/7/os-extra_specs/k",
    asAdmin({ method: "PUT", body: { k: "v" } }),
    "setFlavorExtraSpecs",
    { flavorId: "7", extraSpecs: new Map([["k", "v"]]), singleItem: true },
  ],
  [
    "DELETE /flavors/{id}/os-extra_specs/{sub}",
    "/flavors/7/os-extra_specs/k",
    asAdmin({ method: "DELETE" }),
    "deleteFlavorExtraSpec",
    { flavorId: "7", key: "k" },
  ],
] satisfies readonly Translation[];
