import { ListMigrationsRequest } from "../../../../gen/kilonova/api/v1/migrations_service.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { nextPage, pageOf, pageParameters, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { isTrue, parameter, query, text } from "../../schema/nodes.js";
import { changeBounds } from "../change-bounds.js";
import { required } from "../required.js";
import { MigrationViews, TYPE_WORDS } from "./view.js";
import { orNone } from "../../../model/presence.js";

const paged = since("2.59");
const bounded = since("2.66");
const owned = since("2.80");
const time = text({ format: "date-time" });
const listQuery = query(paged, [
  ...pageParameters({ span: paged, single: true }),
  ...["hidden", "host", "instance_uuid", "source_compute", "status", "migration_type"].map((name) =>
    parameter(name, text()),
  ),
  parameter("changes-since", time, { span: paged, single: true }),
  parameter("changes-before", time, { span: bounded, single: true }),
  parameter("user_id", text(), { span: owned, single: true }),
  parameter("project_id", text(), { span: owned, single: true }),
]);
const noParameters = query(since("2.102"));

/** What the parameters ask of the public list. Hidden ones are only shown when asked for. */
function listOf(request: ApiRequest): ListMigrationsRequest {
  const word = (name: string): string | undefined => orNone(last(request.query, name));
  const server = word("instance_uuid");
  const projectId = request.has(owned) ? word("project_id") : undefined;
  return ListMigrationsRequest.fromPartial({
    serverIds: server === undefined ? [] : [server],
    host: word("host"),
    sourceCompute: word("source_compute"),
    status: word("status"),
    type: TYPE_WORDS.get(word("migration_type") ?? "") ?? 0,
    hidden: isTrue(word("hidden") ?? ""),
    userId: request.has(owned) ? word("user_id") : undefined,
    projectId,
    allProjects: projectId === undefined,
    ...(request.has(paged) ? changeBounds(request) : {}),
  });
}

export function migrationRoutes({
  migrations,
  lists,
}: Pick<ApiClients, "migrations" | "lists">): Operation[] {
  const views = new MigrationViews();
  return [
    {
      route: "GET /os-migrations",
      query: listQuery,
      handle: async (request) => {
        const type = last(request.query, "migration_type");
        // A kind that there is not is no error: nothing is of it.
        const matchNothing = type !== undefined && !TYPE_WORDS.has(type);
        const page = request.has(paged) ? pageOf(request.query) : pageOf(new Map());
        const list = listOf(request);
        const { items } = await wholePage(page, "migrations", ({ marker, ...stretch }) =>
          lists.listMigrations(request.ctx, {
            list: { ...list, ...stretch },
            nova: { marker, matchNothing },
          }),
        );
        const markers = items.map(({ id }) => ({ marker: id }));
        const links = nextPage(
          "migrations_links",
          "os-migrations",
          markers,
          page,
          request.query,
          request.links,
        );
        return replyJson({
          migrations: items.map((item) => views.listed(item, request.version, request.links)),
          ...(request.has(paged) ? links : {}),
        });
      },
    },
    {
      route: "GET /servers/{id}/migrations",
      query: noParameters,
      handle: async (request) => {
        const list = { serverIds: [request.id], inProgressOnly: true, hidden: false };
        const { items } = await wholePage(pageOf(new Map()), "migrations", ({ pageSize, pageToken }) =>
          migrations.listMigrations(request.ctx, { ...list, pageSize, pageToken }),
        );
        return replyJson({
          migrations: items.map((item) => views.ofServer(item, request.version, request.links)),
        });
      },
    },
    {
      route: "GET /servers/{id}/migrations/{sub}",
      query: noParameters,
      handle: async (request) => {
        const { migration } = await migrations.getMigration(request.ctx, {
          serverId: request.id,
          migrationId: request.sub,
          inProgressOnly: true,
        });
        const shown = required(migration, "migration");
        return replyJson({ migration: views.ofServer(shown, request.version, request.links) });
      },
    },
  ];
}
