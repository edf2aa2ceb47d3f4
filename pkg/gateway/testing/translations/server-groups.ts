import { ServerGroupPolicy } from "../../../../gen/kilonova/api/v1/server_groups_service.js";
import type { Translation } from "./translation.js";
import { OTHER, asAdmin, post } from "./translation.js";

export default [
  [
    "GET /os-server-groups",
    "/os-server-groups?all_projects&limit=2&offset=1",
    asAdmin({}),
    "lists.listServerGroups",
    { list: { allProjects: true, pageSize: 2 }, nova: { skip: 1 } },
  ],
  [
    "POST /os-server-groups",
    "/os-server-groups",
    {
      method: "POST",
      version: "2.64",
      body: {
        server_group: {
          name: "g",
          policy: "anti-affinity",
          rules: { max_server_per_host: 3 },
        },
      },
    },
    "createServerGroup",
    { name: "g", policy: ServerGroupPolicy.SERVER_GROUP_POLICY_ANTI_AFFINITY, maxServerPerHost: 3 },
  ],
  [
    "POST /os-server-groups",
    "/os-server-groups",
    post({ server_group: { name: "g", policies: ["affinity"] } }),
    "createServerGroup",
    { name: "g", policy: ServerGroupPolicy.SERVER_GROUP_POLICY_AFFINITY },
  ],
  [
    "GET /os-server-groups/{id}",
    `/os-server-groups/${OTHER}`,
    {},
    "getServerGroup",
    { serverGroupId: OTHER },
  ],
  [
    "DELETE /os-server-groups/{id}",
    `/os-server-groups/${OTHER}`,
    { method: "DELETE" },
    "deleteServerGroup",
    { serverGroupId: OTHER },
  ],
] satisfies readonly Translation[];
