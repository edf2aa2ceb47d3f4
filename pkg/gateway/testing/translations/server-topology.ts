import type { Translation } from "./translation.js";
import { SERVER } from "./translation.js";

export default [
  [
    "GET /servers/{id}/topology",
    `/servers/${SERVER}/topology`,
    { version: "2.78" },
    "getServerTopology",
    { serverId: SERVER },
  ],
] satisfies readonly Translation[];
