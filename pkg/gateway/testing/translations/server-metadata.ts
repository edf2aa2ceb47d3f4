import type { Translation } from "./translation.js";
import { SERVER, post } from "./translation.js";

export default [
  [
    "GET /servers/{id}/metadata",
    `/servers/${SERVER}/metadata`,
    {},
    "getServerMetadata",
    { serverId: SERVER },
  ],
  [
    "POST /servers/{id}/metadata",
    `/servers/${SERVER}/metadata`,
    post({ metadata: { a: "1" } }),
    "updateServerMetadata",
    { serverId: SERVER, metadata: new Map([["a", "1"]]) },
  ],
  [
    "PUT /servers/{id}/metadata",
    `/servers/${SERVER}/metadata`,
    { method: "PUT", body: { metadata: { a: "1" } } },
    "updateServerMetadata",
    { serverId: SERVER, metadata: new Map([["a", "1"]]), replaceAll: true },
  ],
  [
    "GET /servers/{id}/metadata/{sub}",
    `/servers/${SERVER}/metadata/a`,
    {},
    "getServerMetadata",
    { serverId: SERVER, key: "a" },
  ],
  [
    "PUT /servers/{id}/metadata/{sub}",
    `/servers/${SERVER}/metadata/a`,
    { method: "PUT", body: { meta: { a: "1" } } },
    "updateServerMetadata",
    { serverId: SERVER, metadata: new Map([["a", "1"]]), singleItem: true },
  ],
  [
    "DELETE /servers/{id}/metadata/{sub}",
    `/servers/${SERVER}/metadata/a`,
    { method: "DELETE" },
    "deleteServerMetadata",
    { serverId: SERVER, key: "a" },
  ],
] satisfies readonly Translation[];
