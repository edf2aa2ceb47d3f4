import type { Translation } from "./translation.js";
import { asAdmin } from "./translation.js";

export default [
  ["GET /os-availability-zone", "/os-availability-zone", {}, "listAvailabilityZones", { detail: false }],
  [
    "GET /os-availability-zone/detail",
    "/os-availability-zone/detail",
    asAdmin({}),
    "listAvailabilityZones",
    { detail: true },
  ],
] satisfies readonly Translation[];
