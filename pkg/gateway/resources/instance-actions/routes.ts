import { parseIso } from "../../../kernel/index.js";
import type { Timestamp } from "../../../../gen/google/protobuf/timestamp.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { nextPage, pageOf, pageParameters, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { parameter, query, text } from "../../schema/nodes.js";
import { required } from "../required.js";
import { ActionViews } from "./view.js";
import { toTimestamp } from "../../../model/wire-time.js";

const paged = since("2.58");
const time = text({ format: "date-time" });
const listQuery = query(paged, [
  ...pageParameters({ span: paged, single: true }),
  parameter("changes-since", time, { span: paged, single: true }),
  parameter("changes-before", time, { span: since("2.66"), single: true }),
]);
const noParameters = query(since("2.102"));

function timeOf(request: ApiRequest, name: string): Timestamp | undefined {
  const at = parseIso(last(request.query, name) ?? "");
  return at === undefined ? undefined : toTimestamp(at);
}

function boundsOf(request: ApiRequest): { changesSince?: Timestamp; changesBefore?: Timestamp } {
  const [changesSince, changesBefore] = [timeOf(request, "changes-since"), timeOf(request, "changes-before")];
  if (changesSince && changesBefore && changesSince.seconds > changesBefore.seconds) {
    throw GatewayErrors.BAD_REQUEST({
      message: "The value of changes-since must be less than or equal to changes-before.",
    });
  }
  return { ...(changesSince ? { changesSince } : {}), ...(changesBefore ? { changesBefore } : {}) };
}

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
        const bounds = boundsOf(request);
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
