import type { Hypervisor } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { HypervisorView, HypervisorsView } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { CommonErrors, parseUuid } from "../../../kernel/index.js";
import { GatewayErrors } from "../../errors.js";
import type { ApiRequest, Reply } from "../../http/api-request.js";
import { replyJson } from "../../http/api-request.js";
import { MAX_LIMIT, nextPage, pageOf, wholePage } from "../../http/paging.js";
import { last } from "../../http/query.js";
import { since } from "../../microversion/version.js";
import type { ApiClients } from "../../ports.js";
import type { Operation } from "../../routing/endpoints.js";
import { isTrue } from "../../schema/nodes.js";
import type { View } from "../../view/view.js";
import { byUuid } from "../compute-services/view.js";
import { pathNumber } from "../path-number.js";
import { required } from "../required.js";
import { listHypervisorsQuery, showHypervisorQuery } from "./schemas.js";
import type { HypervisorEnv } from "./view.js";
import { hypervisorView, statistics } from "./view.js";
import { orNone } from "../../../model/presence.js";

type Clients = Pick<ApiClients, "hypervisors" | "lists">;
type Api = Clients["hypervisors"];
const paged = since("2.33");

const wantsServers = (request: ApiRequest): boolean => isTrue(last(request.query, "with_servers"));

/** Hypervisors, and how many cells did not answer about theirs. */
interface Found {
  readonly found: readonly Hypervisor[];
  readonly unreachableCells: number;
}

/** Every hypervisor, page by page. */
async function all(
  api: Api,
  request: ApiRequest,
  filter: { hostnamePattern?: string | undefined; withServers?: boolean; view: HypervisorsView },
): Promise<Found> {
  const found: Hypervisor[] = [];
  let unreachableCells = 0;
  let pageToken = "";
  do {
    const answer = await api.listHypervisors(request.ctx, { ...filter, pageSize: MAX_LIMIT, pageToken });
    found.push(...answer.hypervisors);
    unreachableCells = Math.max(unreachableCells, answer.unreachableCells.length);
    pageToken = answer.nextPageToken;
  } while (pageToken !== "");
  return { found, unreachableCells };
}

async function matching(
  api: Api,
  request: ApiRequest,
  hostnamePattern: string,
  asked: { withServers?: boolean; view: HypervisorsView },
): Promise<Found> {
  const matches = await all(api, request, { hostnamePattern: orNone(hostnamePattern), ...asked });
  if (matches.found.length === 0 && matches.unreachableCells > 0)
    throw CommonErrors.UNAVAILABLE({ what: "A cell that may have it" });
  if (matches.found.length === 0)
    throw GatewayErrors.NOT_FOUND({ message: `No hypervisor matching '${hostnamePattern}' could be found.` });
  return matches;
}

async function list(
  { hypervisors: api, lists }: Clients,
  view: View<Hypervisor, HypervisorEnv>,
  asked: { path: string; view: HypervisorsView },
  request: ApiRequest,
): Promise<Reply> {
  const shape = view.shape(request.version);
  const env = { withServers: wantsServers(request) };
  const pattern = last(request.query, "hypervisor_hostname_pattern");
  if (pattern !== undefined) {
    if (request.query.has("limit") || request.query.has("marker")) {
      throw GatewayErrors.BAD_REQUEST({
        message:
          "Paging over hypervisors with the hypervisor_hostname_pattern query parameter is not supported.",
      });
    }
    const { found, unreachableCells } = await matching(api, request, pattern, { ...env, view: asked.view });
    return replyJson({ hypervisors: found.map((h) => shape.render(h, env)) }, { unreachableCells });
  }
  const page = pageOf(request.query);
  const { answer, items: shown } = await wholePage(page, "hypervisors", ({ marker, ...stretch }) =>
    lists.listHypervisors(request.ctx, {
      list: { ...env, view: asked.view, ...stretch },
      nova: { marker },
    }),
  );
  const markers = shown.map((h) => ({ marker: request.has(byUuid) ? h.id : String(h.number) }));
  const links = request.has(paged)
    ? nextPage("hypervisors_links", asked.path, markers, page, request.query, request.links)
    : {};
  return replyJson(
    { hypervisors: shown.map((h) => shape.render(h, env)), ...links },
    { unreachableCells: answer.unreachableCells.length },
  );
}

async function one(
  api: Api,
  request: ApiRequest,
  asked: { withServers: boolean; view: HypervisorView },
): Promise<Hypervisor> {
  const hypervisorId = request.has(byUuid) ? parseUuid(request.id) : pathNumber(request.id);
  if (hypervisorId === undefined && request.has(byUuid))
    throw GatewayErrors.BAD_REQUEST({ message: `Invalid uuid ${request.id}` });
  if (hypervisorId === undefined)
    throw GatewayErrors.NOT_FOUND({ message: `Hypervisor with ID '${request.id}' could not be found.` });
  return required(
    (await api.getHypervisor(request.ctx, { hypervisorId, ...asked })).hypervisor,
    "hypervisor",
  );
}

export function hypervisorRoutes(clients: Clients): Operation[] {
  const api = clients.hypervisors;
  const [brief, full, uptime] = [hypervisorView("brief"), hypervisorView("full"), hypervisorView("uptime")];
  const without = { withServers: false };
  return [
    {
      route: "GET /os-hypervisors",
      query: listHypervisorsQuery,
      handle: (request) =>
        list(
          clients,
          brief,
          { path: "os-hypervisors", view: HypervisorsView.HYPERVISORS_VIEW_BRIEF },
          request,
        ),
    },
    {
      route: "GET /os-hypervisors/detail",
      query: listHypervisorsQuery,
      handle: (request) =>
        list(
          clients,
          full,
          { path: "os-hypervisors/detail", view: HypervisorsView.HYPERVISORS_VIEW_DETAIL },
          request,
        ),
    },
    {
      route: "GET /os-hypervisors/{id}",
      query: showHypervisorQuery,
      handle: async (request) => {
        const env = { withServers: wantsServers(request) };
        const hypervisor = await one(api, request, { ...env, view: HypervisorView.HYPERVISOR_VIEW_FULL });
        return replyJson({ hypervisor: full.shape(request.version).render(hypervisor, env) });
      },
    },
    {
      route: "GET /os-hypervisors/statistics",
      handle: async (request) => {
        const { found, unreachableCells } = await all(api, request, {
          view: HypervisorsView.HYPERVISORS_VIEW_STATISTICS,
        });
        return replyJson({ hypervisor_statistics: statistics(found) }, { unreachableCells });
      },
    },
    {
      route: "GET /os-hypervisors/{id}/uptime",
      handle: async (request) => {
        const hypervisor = await one(api, request, {
          ...without,
          view: HypervisorView.HYPERVISOR_VIEW_UPTIME,
        });
        if (hypervisor.service?.up !== true)
          throw GatewayErrors.BAD_REQUEST({
            message: `The compute service of ${hypervisor.hypervisorHostname} is down: nobody knows its uptime.`,
          });
        if (hypervisor.uptime === undefined)
          throw GatewayErrors.NOT_IMPLEMENTED({ what: "the uptime of this hypervisor" });
        return replyJson({ hypervisor: uptime.shape(request.version).render(hypervisor, without) });
      },
    },
    {
      route: "GET /os-hypervisors/{id}/search",
      handle: async (request) => {
        const shape = brief.shape(request.version);
        const { found, unreachableCells } = await matching(api, request, request.id, {
          view: HypervisorsView.HYPERVISORS_VIEW_SEARCH,
        });
        return replyJson({ hypervisors: found.map((h) => shape.render(h, without)) }, { unreachableCells });
      },
    },
    {
      route: "GET /os-hypervisors/{id}/servers",
      handle: async (request) => {
        const shape = brief.shape(request.version);
        const { found, unreachableCells } = await matching(api, request, request.id, {
          view: HypervisorsView.HYPERVISORS_VIEW_SERVERS,
        });
        return replyJson(
          { hypervisors: found.map((h) => shape.render(h, { withServers: true })) },
          { unreachableCells },
        );
      },
    },
  ];
}
