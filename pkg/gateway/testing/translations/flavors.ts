import { FlavorSortField, FlavorVisibility } from "../../../../gen/kilonova/api/v1/flavors_service.js";
import { SortDirection } from "../../../../gen/kilonova/type/v1/page.js";
import { MAX_LIMIT } from "../../http/paging.js";
import type { Translation } from "./translation.js";
import { asAdmin } from "./translation.js";

export default [
  [
    "GET /flavors",
    "/flavors?limit=2&marker=m&minRam=64&minDisk=1&sort_key=name&sort_dir=desc",
    {},
    "lists.listFlavors",
    {
      list: {
        pageSize: 2,
        minMemoryMib: 64,
        minRootGib: 1,
        visibility: FlavorVisibility.FLAVOR_VISIBILITY_PUBLIC,
        sort: [
          { field: FlavorSortField.FLAVOR_SORT_FIELD_NAME, direction: SortDirection.SORT_DIRECTION_DESC },
        ],
      },
      nova: { marker: "m" },
    },
  ],
  [
    "GET /flavors/detail",
    "/flavors/detail?is_public=None",
    asAdmin({}),
    "lists.listFlavors",
    {
      list: {
        pageSize: MAX_LIMIT,
        visibility: FlavorVisibility.FLAVOR_VISIBILITY_ALL,
        sort: [{ field: FlavorSortField.FLAVOR_SORT_FIELD_ID, direction: SortDirection.SORT_DIRECTION_ASC }],
      },
      nova: {},
    },
  ],
  [
    "GET /flavors/detail",
    "/flavors/detail?is_public=False",
    asAdmin({}),
    "lists.listFlavors",
    {
      list: {
        pageSize: MAX_LIMIT,
        visibility: FlavorVisibility.FLAVOR_VISIBILITY_PRIVATE,
        sort: [{ field: FlavorSortField.FLAVOR_SORT_FIELD_ID, direction: SortDirection.SORT_DIRECTION_ASC }],
      },
      nova: {},
    },
  ],
  [
    "POST /flavors",
    "/flavors",
    asAdmin({
      method: "POST",
      version: "2.55",
      body: {
        flavor: {
          id: "7",
          name: "f",
          description: "d",
          ram: 64,
          vcpus: 2,
          disk: 3,
          "OS-FLV-EXT-DATA:ephemeral": 4,
          swap: 5,
          rxtx_factor: 2.5,
          "os-flavor-access:is_public": false,
        },
      },
    }),
    "createFlavor",
    {
      flavor: {
        id: "7",
        name: "f",
        description: "d",
        memoryMib: 64,
        vcpus: 2,
        rootGib: 3,
        ephemeralGib: 4,
        swapMib: 5,
        rxtxFactor: 2.5,
        isPublic: false,
      },
    },
  ],
  ["GET /flavors/{id}", "/flavors/7", {}, "getFlavor", { flavorId: "7" }],
  [
    "PUT /flavors/{id}",
    "/flavors/7",
    asAdmin({ method: "PUT", version: "2.55", body: { flavor: { description: null } } }),
    "updateFlavor",
    { flavor: { id: "7" }, updateMask: ["description"] },
  ],
  ["DELETE /flavors/{id}", "/flavors/7", asAdmin({ method: "DELETE" }), "deleteFlavor", { flavorId: "7" }],
] satisfies readonly Translation[];
