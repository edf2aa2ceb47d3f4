import { HypervisorView, HypervisorsView } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { MAX_LIMIT } from "../../http/paging.js";
import type { Translation } from "./translation.js";
import { OTHER, asAdmin } from "./translation.js";

export default [
  [
    "GET /os-hypervisors",
    "/os-hypervisors?limit=2&marker=1",
    asAdmin({ version: "2.33" }),
    "lists.listHypervisors",
    { list: { pageSize: 2, view: HypervisorsView.HYPERVISORS_VIEW_BRIEF }, nova: { marker: "1" } },
  ],
  [
    "GET /os-hypervisors/detail",
    "/os-hypervisors/detail?with_servers=true",
    asAdmin({ version: "2.53" }),
    "lists.listHypervisors",
    {
      list: { pageSize: MAX_LIMIT, withServers: true, view: HypervisorsView.HYPERVISORS_VIEW_DETAIL },
      nova: {},
    },
  ],
  [
    "GET /os-hypervisors/statistics",
    "/os-hypervisors/statistics",
    asAdmin({}),
    "listHypervisors",
    { pageSize: MAX_LIMIT, view: HypervisorsView.HYPERVISORS_VIEW_STATISTICS },
  ],
  [
    "GET /os-hypervisors/{id}",
    "/os-hypervisors/07",
    asAdmin({}),
    "getHypervisor",
    { hypervisorId: "7", view: HypervisorView.HYPERVISOR_VIEW_FULL },
  ],
  [
    "GET /os-hypervisors/{id}",
    `/os-hypervisors/${OTHER}?with_servers=1`,
    asAdmin({ version: "2.53" }),
    "getHypervisor",
    { hypervisorId: OTHER, withServers: true, view: HypervisorView.HYPERVISOR_VIEW_FULL },
  ],
  [
    "GET /os-hypervisors/{id}/search",
    "/os-hypervisors/vm/search",
    asAdmin({}),
    "listHypervisors",
    { hostnamePattern: "vm", pageSize: MAX_LIMIT, view: HypervisorsView.HYPERVISORS_VIEW_SEARCH },
  ],
  [
    "GET /os-hypervisors/{id}/servers",
    "/os-hypervisors/vm/servers",
    asAdmin({}),
    "listHypervisors",
    { hostnamePattern: "vm", pageSize: MAX_LIMIT, view: HypervisorsView.HYPERVISORS_VIEW_SERVERS },
  ],
  [
    "GET /os-hypervisors/{id}/uptime",
    "/os-hypervisors/7/uptime",
    asAdmin({}),
    "getHypervisor",
    { hypervisorId: "7", view: HypervisorView.HYPERVISOR_VIEW_UPTIME },
  ],
] satisfies readonly Translation[];
