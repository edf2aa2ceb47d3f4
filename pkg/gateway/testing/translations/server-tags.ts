import type { Translation } from "./translation.js";
import { SERVER } from "./translation.js";

export default [
  [
    "GET /servers/{id}/tags",
    `/servers/${SERVER}/tags`,
    { version: "2.26" },
    "listServerTags",
    { serverId: SERVER },
  ],
  [
    "PUT /servers/{id}/tags",
    `/servers/${SERVER}/tags`,
    { method: "PUT", version: "2.26", body: { tags: ["a"] } },
    "replaceServerTags",
    { serverId: SERVER, tags: ["a"] },
  ],
  [
    "DELETE /servers/{id}/tags",
    `/servers/${SERVER}/tags`,
    { method: "DELETE", version: "2.26" },
    "clearServerTags",
    { serverId: SERVER },
  ],
  [
    "GET /servers/{id}/tags/{sub}",
    `/servers/${SERVER}/tags/a`,
    { version: "2.26" },
    "getServerTag",
    { serverId: SERVER, tag: "a" },
  ],
  [
    "PUT /servers/{id}/tags/{sub}",
    `/servers/${SERVER}/tags/a`,
    { method: "PUT", version: "2.26" },
    "addServerTag",
    { serverId: SERVER, tag: "a" },
  ],
  [
    "DELETE /servers/{id}/tags/{sub}",
    `/servers/${SERVER}/tags/a`,
    { method: "DELETE", version: "2.26" },
    "removeServerTag",
    { serverId: SERVER, tag: "a" },
  ],
] satisfies readonly Translation[];
