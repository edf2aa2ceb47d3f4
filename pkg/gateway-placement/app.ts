import { raw as rawParser } from "express";
import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import type { Actor, Authenticated, Ctx } from "../kernel/ctx.js";
import { assertNever } from "../kernel/errors.js";
import type { Clock, Instant } from "../kernel/time.js";
import {
  assertStorable,
  baseUrlOf,
  corsHeaders,
  ctxOf,
  failureHandler,
  httpApp,
  lastOf,
  queryOf,
  setCaller,
} from "../platform/http/index.js";
import type { FailureRenderer, HttpEnv } from "../platform/http/index.js";
import { callOf } from "./call.js";
import { noCors } from "./config.js";
import type { PlacementCors } from "./config.js";
import type { Answer, PlacementClient, Route, RouteRule } from "./call.js";
import { RestErrors, codeOf, statusOverrides } from "./errors.js";
import { MAX_MINOR, minorOf } from "./microversion.js";
import { routes } from "./routes/index.js";

export interface PlacementGatewayDeps {
  /** Of a channel opened as `gateway`. */
  readonly placement: PlacementClient;
  /** @throws an unauthenticated error for a token that is not valid */
  authenticate(ctx: Ctx, token: string): Promise<Authenticated>;
  /** Where clients get tokens; told to those who come without one. */
  readonly identityUrl?: string;
  /** Which pages of browsers may call; default: none. */
  readonly cors?: PlacementCors;
  readonly env: HttpEnv;
  readonly clock: Clock;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
const minors = new WeakMap<Request, number>();

/** The Placement API 1.0 to 1.39 over the placement service. Translation only. */
export function placementGateway({
  placement,
  authenticate,
  identityUrl = "",
  cors = noCors,
  env,
  clock,
}: PlacementGatewayDeps): Express {
  const app = httpApp("placement", env);
  if (cors.allowedOrigin.length > 0) app.use(corsHeaders(cors));
  app.use(identify(authenticate), negotiate, assertLength);
  for (const [path, mine] of byPath(routes)) {
    app.all(path, (req, res) => serve(req, res, mine));
  }
  app.use(() => {
    throw RestErrors.ROUTE_NOT_FOUND({});
  });
  app.use(failureHandler(render(identityUrl), statusOverrides));
  return app;

  /** In Placement's order: route, content types, policy, and only then what is in the body. */
  async function serve(req: Request, res: Response, mine: readonly Route[]): Promise<void> {
    const minor = minors.get(req) ?? 0;
    assertStorable(req.params);
    const route = routeFor(req, res, mine, minor);
    assertContent(req, route);
    allow(req, ctxOf(req).actor, route);
    if (takesBody(route)) await readBody(req, res);
    reply(
      req,
      res,
      await route.handler(callOf(req, { ctx: ctxOf(req), placement, minor })),
      minor,
      clock.now(),
    );
  }
}

function byPath(all: readonly Route[]): Map<string, Route[]> {
  const paths = new Map<string, Route[]>();
  for (const route of all) {
    const mine = paths.get(route.path);
    if (mine === undefined) paths.set(route.path, [route]);
    else mine.push(route);
  }
  return paths;
}

/** Paths that need no token: that of the service's versions. */
const open = new Set(routes.filter(({ policy }) => policy === "anyone").map(({ path }) => path));

function identify(authenticate: PlacementGatewayDeps["authenticate"]): RequestHandler {
  return async (req: Request, _res: Response, next: NextFunction): Promise<void> => {
    if (open.has(req.path)) return next();
    const token = req.get("x-auth-token") ?? "";
    if (token === "") throw RestErrors.UNAUTHORIZED({});
    await setCaller(req, await authenticate(ctxOf(req), token));
    next();
  };
}

function negotiate(req: Request, res: Response, next: NextFunction): void {
  const minor = minorOf(req.get("openstack-api-version"));
  minors.set(req, minor);
  res.setHeader("OpenStack-API-Version", `placement 1.${minor}`);
  res.appendHeader("Vary", "openstack-api-version");
  next();
}

/** What Placement refuses before it looks at the path. */
function assertLength(req: Request, _res: Response, next: NextFunction): void {
  const length = req.get("content-length");
  if (length !== undefined && !/^\d+$/.test(length)) throw RestErrors.CONTENT_LENGTH_INVALID({});
  if (Number(length ?? 0) > 0 && (req.get("content-type") ?? "") === "")
    throw RestErrors.CONTENT_TYPE_MISSING({});
  next();
}

const takesBody = ({ method, bodiless }: Route): boolean =>
  (method === "PUT" || method === "POST") && bodiless !== true;

function assertContent(req: Request, route: Route): void {
  if (takesBody(route)) {
    const type = req.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    if (type !== "application/json")
      throw RestErrors.CONTENT_TYPE_UNSUPPORTED({ type: type === "" ? "None" : type });
  }
  if (route.method === "GET" && route.anyAccept !== true && req.accepts("application/json") === false)
    throw RestErrors.NOT_ACCEPTABLE({});
}

const raw = rawParser({ limit: MAX_BODY_BYTES, type: () => true, inflate: false });

/** Takes the bytes in; handlers have them parsed when they come to it. */
const readBody = (req: Request, res: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    raw(req, res, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(error as Error);
    });
  });

/** The route of the method at this version. @throws ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED */
function routeFor(req: Request, res: Response, mine: readonly Route[], minor: number): Route {
  const method = req.method === "HEAD" ? "GET" : req.method;
  const lives = (route: Route): boolean => minor >= route.since && minor <= (route.until ?? MAX_MINOR);
  const known = mine.filter((route) => route.method === method);
  const route = known.find(lives);
  if (route !== undefined) return route;
  if (known.length > 0 && !known.some(({ missingMeans }) => missingMeans === "method"))
    throw RestErrors.ROUTE_NOT_FOUND({});
  res.setHeader("Allow", [...new Set(mine.map((one) => one.method))].join(", "));
  throw RestErrors.METHOD_NOT_ALLOWED({});
}

/** Rules are for tokens of a project only, whatever the roles: scope is enforced. */
function allow(req: Request, actor: Actor, { policy, path }: Route): void {
  if (policy === "anyone") return;
  const ofProject = !actor.systemScope && actor.projectId !== "";
  const allowed = passes(policy, actor, lastOf(queryOf(req), "project_id"));
  if (!ofProject || !allowed)
    throw RestErrors.FORBIDDEN({ rule: `placement:${path.slice(1).replaceAll("/", ":")}` });
}

/** @source placement-api §1 */
function passes(
  policy: Exclude<RouteRule, "anyone">,
  { roles, projectId }: Actor,
  askedProject: string | undefined,
): boolean {
  const adminOrService = roles.includes("admin") || roles.includes("service");
  switch (policy) {
    case "admin-or-service":
      return adminOrService;
    case "project-reader":
      return adminOrService || (roles.includes("reader") && askedProject === projectId);
    case "service":
      return roles.includes("service");
    default:
      return assertNever(policy);
  }
}

function reply(
  req: Request,
  res: Response,
  { status, json, location, modified, dated }: Answer,
  minor: number,
  now: Instant,
): void {
  if (location !== undefined) res.setHeader("Location", `${baseUrlOf(req)}${location}`);
  if (minor >= 15 && (req.method === "GET" || json !== undefined || dated === true)) {
    res.setHeader("Last-Modified", new Date(Number((modified ?? now) / 1000n)).toUTCString());
    res.setHeader("Cache-Control", "no-cache");
  }
  res.status(status);
  if (json === undefined) res.end();
  else sendJson(res, json);
}

/** As bytes: Express would add a character set to the type, which JSON does not have. */
function sendJson(res: Response, json: unknown): void {
  res.setHeader("Content-Type", "application/json");
  res.send(Buffer.from(JSON.stringify(json)));
}

const render =
  (identityUrl: string): FailureRenderer =>
  (failed, req, res) => {
    const minor = minors.get(req) ?? 0;
    if (failed.status === 401)
      res.setHeader("WWW-Authenticate", identityUrl === "" ? "Keystone" : `Keystone uri="${identityUrl}"`);
    res.status(failed.status);
    sendJson(res, {
      errors: [
        {
          status: failed.status,
          title: failed.title,
          detail: failed.message,
          request_id: ctxOf(req).requestId,
          ...(minor >= 23 ? { code: codeOf(failed.reason) } : {}),
          ...(failed.reason === "VERSION_UNSUPPORTED"
            ? { min_version: "1.0", max_version: `1.${MAX_MINOR}` }
            : {}),
        },
      ],
    });
  };
