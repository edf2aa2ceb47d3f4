import { replyJson } from "../../http/api-request.js";
import { nextPage, pageOf, pageParameters, wholePage } from "../../http/paging.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { parameter, query, text } from "../../schema/nodes.js";
import { changeBounds } from "../change-bounds.js";
import { required } from "../required.js";
import { ActionViews } from "./view.js";

const paged = since("2.58");
const time = text({ format: "date-time" });
const listQuery = query(paged, [
  ...pageParameters({ span: paged, single: true }),
  parameter("changes-since", time, { span: paged, single: true }),
  parameter("changes-before", time, { span: since("2.66"), single: true }),
]);
const noParameters = query(since("2.102"));

export function instanceActionRoutes({
  instanceActions,
  lists,
}: Pick<ApiClients, "instanceActions" | "lists">): Operation[] {
  const views = new ActionViews();
  return [
    {
      route: "GET /servers/{id}/os-instance-actions",
      query: listQuery,
      handle: async (request) => {
        const page = pageOf(request.query);
        const bounds = changeBounds(request);
        const { items: shown } = await wholePage(page, "actions", ({ marker, ...stretch }) =>
          lists.listInstanceActions(request.ctx, {
            list: { serverId: request.id, ...bounds, ...stretch },
            nova: { marker },
          }),
        );
        const path = `servers/${request.id}/os-instance-actions`;
        const links = nextPage(
          "links",
          path,
          shown.map((a) => ({ marker: a.requestId })),
          page,
          request.query,
          request.links,
        );
        return replyJson({
          instanceActions: shown.map((action) => views.render(action, request.version, undefined)),
          ...(request.has(paged) ? links : {}),
        });
      },
    },
    {
      route: "GET /servers/{id}/os-instance-actions/{sub}",
      query: noParameters,
      handle: async (request) => {
        const { action, hiddenFields } = await instanceActions.getInstanceAction(request.ctx, {
          serverId: request.id,
          requestId: request.sub,
        });
        return replyJson({
          instanceAction: views.render(required(action, "action"), request.version, hiddenFields),
        });
      },
    },
  ];
}
