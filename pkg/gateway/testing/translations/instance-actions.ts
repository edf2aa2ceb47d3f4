import type { Translation } from "./translation.js";
import { SERVER } from "./translation.js";

export default [
  [
    "GET /servers/{id}/os-instance-actions",
    `/servers/${SERVER}/os-instance-actions?limit=2&marker=m&changes-since=2026-01-01T00:00:00Z&changes-before=2026-01-01T00:00:09Z`,
    { version: "2.66" },
    "lists.listInstanceActions",
    {
      list: {
        serverId: SERVER,
        pageSize: 2,
        changesSince: { seconds: 1_767_225_600n, nanos: 0 },
        changesBefore: { seconds: 1_767_225_609n, nanos: 0 },
      },
      nova: { marker: "m" },
    },
  ],
  [
    "GET /servers/{id}/os-instance-actions/{sub}",
    `/servers/${SERVER}/os-instance-actions/r`,
    {},
    "getInstanceAction",
    { serverId: SERVER, requestId: "r" },
  ],
] satisfies readonly Translation[];
