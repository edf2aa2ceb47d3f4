import type { Translation } from "./translation.js";
import { SERVER } from "./translation.js";

export default [
  ["GET /servers/{id}/ips", `/servers/${SERVER}/ips`, {}, "getServerAddresses", { serverId: SERVER }],
  [
    "GET /servers/{id}/ips/{sub}",
    `/servers/${SERVER}/ips/net`,
    {},
    "getServerAddresses",
    { serverId: SERVER, networkLabel: "net" },
  ],
] satisfies readonly Translation[];
