import { Router } from "express";
import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import {
  baseUrlOf,
  cors,
  ctxOf,
  failureHandler,
  httpApp,
  jsonBody,
} from "../../../../platform/http/index.js";
import type { FailureRenderer, HttpEnv } from "../../../../platform/http/index.js";
import type { Authenticate } from "../../../shared/auth.js";
import { requireToken } from "../../../shared/auth.js";
import { MAX_MINOR, readMinor, versionText } from "../../domain/microversion.js";
import { E, statusOf } from "../../errors.js";
import type { VolumeParts } from "../../ports.js";
import { attachmentRoutes } from "./attachment-routes.js";
import { setFacts } from "./common.js";
import { infoRoutes } from "./info-routes.js";
import { quotaRoutes } from "./quota-routes.js";
import { snapshotRoutes } from "./snapshot-routes.js";
import { typeRoutes } from "./type-routes.js";
import { volumeActions } from "./volume-actions.js";
import { metadataRoutes } from "./metadata-routes.js";
import { volumeRoutes } from "./volume-routes.js";

export interface VolumeAppOptions extends HttpEnv {
  readonly corsOrigins?: readonly string[];
  /** Where tokens come from; told in 401s. */
  readonly identityUrl: string;
}

const BODY_LIMIT = 114_688;
const VERSION_HEADER = "OpenStack-API-Version";

/** The Block Storage v3 API as an Express app. */
export function volumeApp(
  parts: VolumeParts,
  options: VolumeAppOptions,
  authenticate: Authenticate,
): Express {
  const app = httpApp("volume", options);
  app.use(cors(options.corsOrigins ?? []));
  app.get("/", (req, res) => {
    res.status(300).json(versionsJson(req));
  });
  app.get(/^\/v3\/?$/, (req, res) => {
    res.json(versionsJson(req));
  });
  const routes = Router();
  routes.use(
    infoRoutes(parts),
    typeRoutes(parts),
    metadataRoutes(parts),
    volumeActions(parts),
    volumeRoutes(parts),
    snapshotRoutes(parts),
    attachmentRoutes(parts),
    quotaRoutes(parts),
  );
  app.use(
    "/v3",
    requireToken(authenticate),
    version(authenticate),
    ownProject,
    ...jsonBody(BODY_LIMIT),
    routes,
  );
  app.use((_req, _res, next) => next(Object.assign(new Error("no such resource"), { status: 404 })));
  app.use(failureHandler(renderer(options.identityUrl), statusOf));
  return app;
}

/** Reads the version of the request, and whose service's token came along. */
const version =
  (authenticate: Authenticate): RequestHandler =>
  async (req: Request, res: Response, next: NextFunction): Promise<void> => {
    res.setHeader("Vary", VERSION_HEADER);
    const minor = readMinor(req.get(VERSION_HEADER));
    res.setHeader(VERSION_HEADER, `volume ${versionText(minor)}`);
    const token = req.get("x-service-token") ?? "";
    const service = token === "" || token.length > 4_096 ? undefined : await authenticate(ctxOf(req), token);
    setFacts(req, { minor, service });
    next();
  };

/**
 * The project in the path, which may be left out, must be the token's. @throws MALFORMED_URL as Cinder, also
 * for administrators
 */
const ownProject: RequestHandler = (req, _res, next) => {
  const match = /^\/([0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?=[/?]|$)/.exec(req.url);
  if (match) {
    if (match[1] !== ctxOf(req).actor.projectId) throw E.MALFORMED_URL({});
    const rest = req.url.slice(match[0].length);
    req.url = rest.startsWith("/") ? rest : `/${rest}`;
  }
  next();
};

const versionsJson = (req: Request): unknown => ({
  versions: [
    {
      id: "v3.0",
      status: "CURRENT",
      version: versionText(MAX_MINOR),
      min_version: versionText(0),
      updated: "2026-11-01T00:00:00Z",
      links: [{ rel: "self", href: `${baseUrlOf(req)}/v3/` }],
      "media-types": [{ base: "application/json", type: "application/vnd.openstack.volume+json;version=3" }],
    },
  ],
});

const KINDS: Readonly<Record<number, string>> = {
  400: "badRequest",
  401: "unauthorized",
  403: "forbidden",
  404: "itemNotFound",
  405: "badMethod",
  409: "conflictingRequest",
  413: "overLimit",
  415: "badMediaType",
  429: "overLimit",
  501: "notImplemented",
  503: "serviceUnavailable",
};

const renderer =
  (identityUrl: string): FailureRenderer =>
  (failed, _req: Request, res: Response) => {
    if (failed.status === 401) {
      res.setHeader("WWW-Authenticate", `Keystone uri="${identityUrl}"`);
      res.status(401).json({ error: { code: 401, title: failed.title, message: failed.message } });
      return;
    }
    if (failed.status === 413 && !res.hasHeader("Retry-After")) res.setHeader("Retry-After", "0");
    const message =
      failed.status === 404 && failed.reason === "" ? "The resource could not be found." : failed.message;
    res
      .status(failed.status)
      .json({ [KINDS[failed.status] ?? "computeFault"]: { code: failed.status, message } });
  };
