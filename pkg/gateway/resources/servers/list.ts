import type { Server } from "../../../../gen/kilonova/api/v1/server.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import type { Links } from "../../http/links.js";
import { nextPage, pageOf, wholePage } from "../../http/paging.js";
import { since } from "../../microversion/version.js";
import type { ListsClient } from "../../ports.js";
import type { FragmentCache } from "../../view/fragments.js";
import { joinList } from "../../view/fragments.js";
import type { View } from "../../view/view.js";
import { idOf, serverFragment } from "./fragments.js";
import { selectionOf } from "./filter.js";
import { sortOf } from "./sort.js";

/**
 * Servers of cells that do not answer are listed with the little that is known, where they cannot disturb
 * order and pages.
 */
const downCellsShown = since("2.69");
const ORDERING = ["limit", "marker", "sort_key", "sort_dir"];

export interface ListViews {
  readonly items: View<Server, Links>;
  readonly down: View<Server, Links>;
}

/** `GET /servers` and `GET /servers/detail`. @param path  of the list below the mount */
export async function listServers(
  lists: ListsClient,
  cache: FragmentCache,
  views: ListViews,
  path: string,
  request: ApiRequest,
): Promise<Reply> {
  const page = pageOf(request.query);
  const { filter, matchNothing, allProjects, filtered } = selectionOf(request);
  const sort = sortOf(request);
  const { answer, items: shown } = await wholePage(page, "servers", ({ marker, ...stretch }) =>
    lists.listServers(request.ctx, {
      list: {
        filter,
        allProjects,
        sort,
        ...stretch,
        withHostInfo: path !== "servers",
        brief: path === "servers",
      },
      nova: { marker, matchNothing, dropForbiddenFilters: true },
    }),
  );
  const shape = views.items.shape(request.version, answer.hiddenFields);
  const fragments = shown.map((server) => serverFragment(cache, shape, server, request.links));
  if (request.has(downCellsShown) && !filtered && !ORDERING.some((name) => request.query.has(name))) {
    const down = views.down.shape(request.version);
    fragments.push(
      ...answer.downCellServers.map((server) =>
        Buffer.from(JSON.stringify(down.render(server, request.links))),
      ),
    );
  }
  const links = nextPage(
    "servers_links",
    path,
    shown.map((server) => ({ marker: idOf(server) })),
    page,
    request.query,
    request.links,
  );
  const tail = Object.keys(links).length === 0 ? "" : `,${JSON.stringify(links).slice(1, -1)}`;
  return {
    json: joinList("servers", fragments, tail),
    unreachableCells: answer.unreachableCells.length,
  };
}
