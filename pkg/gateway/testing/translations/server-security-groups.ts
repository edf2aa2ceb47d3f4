import type { Translation } from "./translation.js";
import { SERVER, post } from "./translation.js";

export default [
  [
    "GET /os-security-groups",
    "/os-security-groups?all_tenants=1&limit=2",
    {},
    "groups.listSecurityGroups",
    { pageSize: 1000, allProjects: true },
  ],
  [
    "GET /os-security-groups/{id}",
    `/os-security-groups/${SERVER}`,
    {},
    "groups.getSecurityGroup",
    { securityGroupId: SERVER },
  ],
  [
    "GET /servers/{id}/os-security-groups",
    `/servers/${SERVER}/os-security-groups`,
    {},
    "listServerSecurityGroups",
    { serverId: SERVER, pageSize: 1000 },
  ],
  [
    "POST /servers/{id}/action#addSecurityGroup",
    `/servers/${SERVER}/action`,
    post({ addSecurityGroup: { name: "web" } }),
    "addServerSecurityGroup",
    { serverId: SERVER, securityGroup: "web" },
  ],
  [
    "POST /servers/{id}/action#removeSecurityGroup",
    `/servers/${SERVER}/action`,
    post({ removeSecurityGroup: { name: "web" } }),
    "removeServerSecurityGroup",
    { serverId: SERVER, securityGroup: "web" },
  ],
] satisfies readonly Translation[];
