import type { Request, Response } from "express";
import type { WatchEventsResponse } from "../../../gen/kilonova/api/v1/operations_service.js";
import { EventType } from "../../../gen/kilonova/api/v1/operations_service.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors, asKilonovaError, follow } from "../../kernel/index.js";
import { baseUrlOf, ctxOf, keepOpen, replaceCtx } from "../../platform/http/index.js";
import { GatewayErrors } from "../errors.js";
import { faultBody, faultOf } from "../faults.js";
import { authenticate } from "../http/authenticate.js";
import { Links } from "../http/links.js";
import type { Located } from "../http/path.js";
import { splitProject } from "../http/path.js";
import { agreeOnVersion } from "../http/pipeline.js";
import type { PipelineDeps } from "../http/pipeline.js";
import { last, parseQuery } from "../http/query.js";
import type { Mount } from "../http/version-documents.js";
import type { Microversion } from "../microversion/version.js";
import { always } from "../microversion/version.js";
import type { WithRaw } from "../../platform/rpc/index.js";
import type { EventsClient } from "../ports.js";
import { serverFragment } from "../resources/servers/fragments.js";
import { serverView } from "../resources/servers/view.js";
import { boolean, isTrue, parameter, query, uuid } from "../schema/nodes.js";
import type { FragmentCache } from "../view/fragments.js";
import { EventStream } from "./event-stream.js";

/** As the route of the watch stands in metrics and logs. Nova has nothing below `/kilonova`. */
export const WATCH_ROUTE = "GET /kilonova/events";

export interface WatchDeps extends PipelineDeps {
  readonly events: EventsClient;
  readonly fragments: FragmentCache;
  readonly heartbeatMs: number;
  /** Fires when the gateway stops. */
  readonly stopping: AbortSignal;
}

const nameOf: Readonly<Partial<Record<EventType, string>>> = {
  [EventType.EVENT_TYPE_BOOKMARK]: "bookmark",
  [EventType.EVENT_TYPE_SERVER_CHANGED]: "server.changed",
  [EventType.EVENT_TYPE_SERVER_DELETED]: "server.deleted",
  [EventType.EVENT_TYPE_RESET]: "reset",
  [EventType.EVENT_TYPE_SNAPSHOT]: "snapshot",
  [EventType.EVENT_TYPE_SNAPSHOT_END]: "snapshot.end",
  [EventType.EVENT_TYPE_CELL_UNREACHABLE]: "cell.unreachable",
};

const parameters = query(always, [parameter("server_id", uuid), parameter("all_tenants", boolean)]);
const view = serverView("detail");

/** Whether the request is for the watch. */
export const isWatch = (req: Request, { mount, segments }: Located): boolean => {
  const { rest } = splitProject(segments);
  return mount === "v2.1" && req.method === "GET" && rest.join("/") === "kilonova/events";
};

/**
 * What happens to the caller's servers, as server-sent events, from now or from `Last-Event-ID`. Each server
 * is told as an item of `GET /servers/detail` shows it in the request's microversion. The stream ends with
 * its client, its token, or the gateway, and says why. `api` decides who may watch, and how many.
 * @returns once it is over @throws what is wrong before anything was sent
 */
export async function serveWatch(
  deps: WatchDeps,
  req: Request,
  res: Response,
  at: Located & { mount: Mount },
  opened: () => void,
): Promise<void> {
  const caller = await authenticate(req, ctxOf(req), deps.tokens);
  replaceCtx(req, caller);
  const version = agreeOnVersion(req, res);
  const { projectId } = splitProject(at.segments);
  if (projectId !== "" && projectId !== caller.actor.projectId)
    throw GatewayErrors.PROJECT_MISMATCH({ url: projectId, token: caller.actor.projectId });
  const wish = deps.schemas.checkQuery(parameters, { version, legacy: false }, parseQuery(at.queryText));
  const ctx = keepOpen(req);
  const links = new Links(baseUrlOf(req, deps.linkPrefix), at.mount, projectId);
  const end = new AbortController();
  const releases = [
    follow(end, ctx.signal),
    follow(end, deps.stopping, () => CommonErrors.UNAVAILABLE({ what: "This gateway" })),
  ];
  try {
    const events = deps.events.watchEvents(
      { ...ctx, signal: end.signal },
      {
        resumeToken: req.get("last-event-id") ?? "",
        serverIds: [...(wish.get("server_id") ?? [])],
        allProjects: isTrue(last(wish, "all_tenants")),
      },
    );
    await tell(deps, { ctx, res, version, links, opened, signal: end.signal }, events);
  } finally {
    for (const release of releases) release();
  }
}

interface Listener {
  readonly ctx: Ctx;
  readonly res: Response;
  readonly version: Microversion;
  readonly links: Links;
  /** Ends the stream. */
  readonly signal: AbortSignal;
  opened(): void;
}

/** The first event opens the stream: what `api` refuses before it is answered as any other request is. */
async function tell(deps: WatchDeps, listener: Listener, events: AsyncIterable<Told>): Promise<void> {
  const { ctx, res, signal } = listener;
  let stream: EventStream | undefined;
  try {
    for await (const event of events) {
      if (!stream) {
        stream = new EventStream(res, signal, deps.heartbeatMs);
        listener.opened();
      }
      const name = nameOf[event.type];
      if (name === undefined) continue;
      await stream.send({ event: name, id: event.resumeToken, data: dataOf(deps, listener, event) });
    }
    stream?.end();
  } catch (thrown) {
    if (!stream) throw thrown;
    const error = asKilonovaError(thrown);
    if (error.kind === "internal") ctx.log.error("http.watch.failed", { error });
    stream.end({ event: "end", id: "", data: faultBody(faultOf(error, ctx.requestId)) });
  }
}

type Told = WithRaw<WatchEventsResponse, "server">;

function dataOf({ fragments }: WatchDeps, { version, links }: Listener, event: Told): string | Buffer {
  const [server] = event.server;
  if (server === undefined) return JSON.stringify(event.cell === undefined ? {} : { cell: event.cell });
  const fragment = serverFragment(fragments, view.shape(version, event.hiddenFields), server, links);
  return Buffer.concat([OPEN, fragment, CLOSE]);
}

const OPEN = Buffer.from('{"server":');
const CLOSE = Buffer.from("}");
