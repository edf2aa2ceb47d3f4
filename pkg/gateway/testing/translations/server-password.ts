import type { Translation } from "./translation.js";
import { SERVER } from "./translation.js";

export default [
  [
    "GET /servers/{id}/os-server-password",
    `/servers/${SERVER}/os-server-password`,
    {},
    "getServerPassword",
    { serverId: SERVER },
  ],
  [
    "DELETE /servers/{id}/os-server-password",
    `/servers/${SERVER}/os-server-password`,
    { method: "DELETE" },
    "clearServerPassword",
    { serverId: SERVER },
  ],
] satisfies readonly Translation[];
