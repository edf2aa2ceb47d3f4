import { MAX_LIMIT } from "../../http/paging.js";
import type { Translation } from "./translation.js";
import { OTHER, asAdmin } from "./translation.js";

export default [
  [
    "GET /os-services",
    "/os-services?host=h&binary=b",
    asAdmin({}),
    "listComputeServices",
    { host: "h", binary: "b", pageSize: MAX_LIMIT },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/disable-log-reason",
    asAdmin({
      method: "PUT",
      body: {
        host: "h",
        binary: "b",
        disabled_reason: "r",
      },
    }),
    "updateComputeService",
    { host: "h", binary: "b", disabled: true, disabledReason: "r" },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/disable",
    asAdmin({ method: "PUT", body: { host: "h", binary: "b" } }),
    "updateComputeService",
    { host: "h", binary: "b", disabled: true },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/enable",
    asAdmin({ method: "PUT", body: { host: "h", binary: "b" } }),
    "updateComputeService",
    { host: "h", binary: "b", disabled: false },
  ],
  [
    "PUT /os-services/{id}",
    "/os-services/force-down",
    asAdmin({
      method: "PUT",
      version: "2.11",
      body: {
        host: "h",
        binary: "b",
        forced_down: "True",
      },
    }),
    "updateComputeService",
    { host: "h", binary: "b", forcedDown: true },
  ],
  [
    "PUT /os-services/{id}",
    `/os-services/${OTHER}`,
    asAdmin({
      method: "PUT",
      version: "2.53",
      body: {
        status: "disabled",
        disabled_reason: "r",
        forced_down: false,
      },
    }),
    "updateComputeService",
    { serviceId: OTHER, disabled: true, disabledReason: "r", forcedDown: false },
  ],
  [
    "DELETE /os-services/{id}",
    "/os-services/7",
    asAdmin({ method: "DELETE" }),
    "deleteComputeService",
    { serviceId: "7" },
  ],
  [
    "DELETE /os-services/{id}",
    "/os-services/-1",
    asAdmin({ method: "DELETE" }),
    "deleteComputeService",
    { serviceId: "-1" },
  ],
] satisfies readonly Translation[];
