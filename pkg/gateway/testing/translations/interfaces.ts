import type { Translation } from "./translation.js";
import { OTHER, SERVER, post } from "./translation.js";

const path = `/servers/${SERVER}/os-interface`;
const wait = { seconds: 50n, nanos: 0 };

export default [
  ["GET /servers/{id}/os-interface", path, {}, "listInterfaces", { serverId: SERVER, pageSize: 1000 }],
  [
    "GET /servers/{id}/os-interface/{sub}",
    `${path}/${OTHER}`,
    {},
    "getInterface",
    { serverId: SERVER, portId: OTHER },
  ],
  [
    "POST /servers/{id}/os-interface",
    path,
    { ...post({ interfaceAttachment: { port_id: OTHER, tag: "nic" } }), version: "2.49" },
    "attachInterface",
    { serverId: SERVER, portId: OTHER, tag: "nic", wait },
  ],
  [
    "POST /servers/{id}/os-interface",
    path,
    post({ interfaceAttachment: { net_id: OTHER, fixed_ips: [{ ip_address: "10.0.0.9" }] } }),
    "attachInterface",
    { serverId: SERVER, networkId: OTHER, fixedIp: "10.0.0.9", wait },
  ],
  ["POST /servers/{id}/os-interface", path, post({}), "attachInterface", { serverId: SERVER, wait }],
  [
    "DELETE /servers/{id}/os-interface/{sub}",
    `${path}/${OTHER}`,
    { method: "DELETE" },
    "detachInterface",
    { serverId: SERVER, portId: OTHER },
  ],
] satisfies readonly Translation[];
