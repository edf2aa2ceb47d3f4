import type { Translation } from "./translation.js";
import { SERVER, post } from "./translation.js";

export default [
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
