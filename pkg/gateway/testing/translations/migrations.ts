import { MigrationType } from "../../../../gen/kilonova/api/v1/migrations_service.js";
import type { Translation } from "./translation.js";
import { SERVER } from "./translation.js";

export default [
  [
    "GET /os-migrations",
    "/os-migrations?limit=2&marker=m&host=h&status=done&migration_type=resize&project_id=p&user_id=u&changes-since=2026-01-01T00:00:00Z",
    { version: "2.80" },
    "lists.listMigrations",
    {
      list: {
        host: "h",
        status: "done",
        type: MigrationType.MIGRATION_TYPE_RESIZE,
        projectId: "p",
        userId: "u",
        hidden: false,
        pageSize: 2,
        changesSince: { seconds: 1_767_225_600n, nanos: 0 },
      },
      nova: { marker: "m" },
    },
  ],
  [
    "GET /os-migrations",
    `/os-migrations?instance_uuid=${SERVER}&source_compute=h&hidden=1&migration_type=none&project_id=p&limit=1`,
    { version: "2.58" },
    "lists.listMigrations",
    {
      list: { serverIds: [SERVER], sourceCompute: "h", hidden: true, allProjects: true, pageSize: 1000 },
      nova: { matchNothing: true },
    },
  ],
  [
    "GET /servers/{id}/migrations",
    `/servers/${SERVER}/migrations`,
    { version: "2.23" },
    "listMigrations",
    { serverIds: [SERVER], inProgressOnly: true, hidden: false, pageSize: 1000 },
  ],
  [
    "GET /servers/{id}/migrations/{sub}",
    `/servers/${SERVER}/migrations/7`,
    { version: "2.23" },
    "getMigration",
    { serverId: SERVER, migrationId: "7", inProgressOnly: true },
  ],
] satisfies readonly Translation[];
