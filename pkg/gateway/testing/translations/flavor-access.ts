import type { Translation } from "./translation.js";
import { asAdmin, post } from "./translation.js";

export default [
  [
    "POST /flavors/{id}/action#addTenantAccess",
    "/flavors/7/action",
    asAdmin(post({ addTenantAccess: { tenant: "t" } })),
    "addFlavorAccess",
    { flavorId: "7", projectId: "t" },
  ],
  [
    "POST /flavors/{id}/action#removeTenantAccess",
    "/flavors/7/action",
    asAdmin(post({ removeTenantAccess: { tenant: "t" } })),
    "removeFlavorAccess",
    { flavorId: "7", projectId: "t" },
  ],
  [
    "GET /flavors/{id}/os-flavor-access",
    "/flavors/7/os-flavor-access",
    asAdmin({}),
    "getFlavor",
    { flavorId: "7", withAccess: true },
  ],
] satisfies readonly Translation[];
