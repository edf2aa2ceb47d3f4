import type { Express, Request, Response } from "express";
import { asKilonovaError } from "../../kernel/index.js";
import { baseUrlOf, cors, ctxOf, httpApp } from "../../platform/http/index.js";
import type { HttpEnv } from "../../platform/http/index.js";
import type { WatchDeps } from "../events/watch.js";
import { WATCH_ROUTE, isWatch, serveWatch } from "../events/watch.js";
import { faultOf } from "../faults.js";
import { assertAnnouncedSize } from "./body.js";
import type { Located } from "./path.js";
import { locate } from "./path.js";
import { agreeOnVersion, runApi } from "./pipeline.js";
import { sendFault, sendJson, sendNoRoute, sendTooLarge, sendUnauthorized } from "./respond.js";
import type { Mount } from "./version-documents.js";
import { versionChoices, versionDocument, versionList } from "./version-documents.js";

export interface AppDeps extends WatchDeps {
  readonly env: HttpEnv;
  /** Told to clients that come without a token. */
  readonly identityUrl: string;
  /** Origins of browsers that may call. */
  readonly corsOrigins: readonly string[];
  /**
   * Told of every answer; the route is its key in the table, or "" for version documents and requests that
   * reached none.
   */
  observe?(route: string, status: number, seconds: number): void;
}

/**
 * The Express application. Paths are matched by the gateway itself, below one middleware: OpenStack's rules
 * (an optional project id in front, exact slashes, 404 instead of 405, actions in the body) are not those of
 * Express' router.
 */
export function buildApp(deps: AppDeps): Express {
  const app = httpApp("compute", deps.env);
  app.use(cors(deps.corsOrigins));
  app.use((req: Request, res: Response): Promise<void> => serve(deps, req, res));
  return app;
}

async function serve(deps: AppDeps, req: Request, res: Response): Promise<void> {
  const startedMs = performance.now();
  let route = "";
  let observed = false;
  const observe = (): void => {
    if (!observed) deps.observe?.(route, res.statusCode, (performance.now() - startedMs) / 1000);
    observed = true;
  };
  try {
    res.setHeader("x-compute-request-id", ctxOf(req).requestId);
    const at = locate(req.originalUrl);
    if (at.path === "/") return serveRoot(deps, req, res);
    assertAnnouncedSize(req, deps.maxBodyBytes);
    if (!isMounted(at)) return serveChoices(deps, req, res, at.path);
    if (at.segments.length === 0 || (at.segments.length === 1 && at.segments[0] === ""))
      return serveDocument(deps, req, res, at.mount);
    if (isWatch(req, at)) {
      route = WATCH_ROUTE;
      // How long it stays open says nothing.
      return await serveWatch(deps, req, res, at, observe);
    }
    await runApi(deps, req, res, at, (key) => {
      route = key;
    });
  } catch (error) {
    fail(deps, req, res, route, error);
  } finally {
    observe();
  }
}

const isMounted = (at: Located): at is Located & { mount: Mount } => at.mount !== undefined;

function serveRoot(deps: AppDeps, req: Request, res: Response): void {
  // The list of versions stands in front of everything, request ids included.
  res.removeHeader("x-openstack-request-id");
  res.removeHeader("x-compute-request-id");
  sendJson(res, JSON.stringify(versionList(baseUrlOf(req, deps.linkPrefix))));
}

function serveChoices(deps: AppDeps, req: Request, res: Response, path: string): void {
  res.statusCode = 300;
  sendJson(res, JSON.stringify(versionChoices(baseUrlOf(req, deps.linkPrefix), path.slice(1))));
}

function serveDocument(deps: AppDeps, req: Request, res: Response, mount: Mount): void {
  if (mount === "v2.1") agreeOnVersion(req, res);
  sendJson(res, JSON.stringify(versionDocument(baseUrlOf(req, deps.linkPrefix), mount)));
}

/**
 * The one place where a failure becomes an answer. What is our fault is logged with its cause; the client
 * learns the request id.
 */
function fail(deps: AppDeps, req: Request, res: Response, route: string, thrown: unknown): void {
  const error = asKilonovaError(thrown);
  const ctx = ctxOf(req);
  const fault = faultOf(error, ctx.requestId);
  if (fault.status >= 500 && fault.status !== 501)
    ctx.log.error("http.request.failed", { route, status: fault.status, error });
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  if (error.reason === "ROUTE_NOT_FOUND" && error.domain === "gateway") return sendNoRoute(res);
  if (fault.status === 401) return sendUnauthorized(res, deps.identityUrl);
  if (fault.status === 413) return sendTooLarge(res, fault.message);
  sendFault(res, fault);
}
