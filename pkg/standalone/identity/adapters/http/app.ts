import type { Express, Request, Response } from "express";
import { KilonovaError } from "../../../../kernel/index.js";
import { cors, failureHandler, httpApp, jsonBody } from "../../../../platform/http/index.js";
import type { FailureRenderer, HttpEnv } from "../../../../platform/http/index.js";
import type { Authenticate } from "../../../shared/auth.js";
import { requireToken } from "../../../shared/auth.js";
import { statusOverrides } from "../../errors.js";
import type { IdentityParts } from "../../ports.js";
import { assignmentRoutes } from "./assignment-routes.js";
import { authRoutes, tokenIssueRoute } from "./auth-routes.js";
import { catalogRoutes } from "./catalog-routes.js";
import { baseOf } from "./common.js";
import { credentialRoutes } from "./credential-routes.js";
import { domainRoutes } from "./domain-routes.js";
import { impliedRoleRoutes } from "./implied-role-routes.js";
import { projectRoutes } from "./project-routes.js";
import { roleRoutes } from "./role-routes.js";
import { userRoutes } from "./user-routes.js";

const BODY_LIMIT = 256 * 1024;

/** The Identity v3 API as an Express app. */
export function identityApp(
  parts: IdentityParts,
  env: HttpEnv & { readonly corsOrigins?: readonly string[] },
  authenticate: Authenticate,
): Express {
  const app = httpApp("identity", env);
  app.use(cors(env.corsOrigins ?? []));
  app.get("/", (req, res) => {
    res.status(300).json({ versions: { values: [versionJson(baseOf(req))] } });
  });
  app.get("/v3", (req, res) => {
    res.json({ version: versionJson(baseOf(req)) });
  });
  app.use(jsonBody(BODY_LIMIT));
  app.use(tokenIssueRoute(parts));
  app.use("/v3", requireToken(authenticate));
  app.use(authRoutes(parts), userRoutes(parts), credentialRoutes(parts), assignmentRoutes(parts));
  app.use(
    domainRoutes(parts),
    projectRoutes(parts),
    roleRoutes(parts),
    impliedRoleRoutes(parts),
    catalogRoutes(parts),
  );
  app.use((_req, _res, next) => next(notFound()));
  app.use(failureHandler(renderFailure, statusOverrides));
  return app;
}

const notFound = (): Error => Object.assign(new Error("no such resource"), { status: 404 });

const versionJson = (base: string): unknown => ({
  id: "v3.14",
  status: "stable",
  updated: "2020-04-07T00:00:00Z",
  links: [{ rel: "self", href: `${base}/v3/` }],
  "media-types": [{ base: "application/json", type: "application/vnd.openstack.identity-v3+json" }],
});

/** Keystone's error body; a 401 also says where to get a token, and who came too often when to come again. */
const renderFailure: FailureRenderer = (failed, req: Request, res: Response, error) => {
  const retryAfter = error instanceof KilonovaError ? error.facts["retryAfterSeconds"] : undefined;
  if (retryAfter !== undefined) res.setHeader("Retry-After", retryAfter);
  if (failed.status === 401) res.setHeader("WWW-Authenticate", `Keystone uri="${baseOf(req)}/v3"`);
  const message =
    failed.status === 404 && failed.reason === "" ? "The resource could not be found." : failed.message;
  res.status(failed.status).json({ error: { code: failed.status, message, title: failed.title } });
};
