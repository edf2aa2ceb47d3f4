import { json as jsonParser } from "express";
import type { Express, NextFunction, Request, RequestHandler, Response } from "express";
import type { Actor, Ctx } from "../kernel/ctx.js";
import type { Clock, Instant } from "../kernel/time.js";
import {
  assertStorable,
  ctxOf,
  failureHandler,
  httpApp,
  lastOf,
  queryOf,
  setCaller,
} from "../platform/http/index.js";
import type { FailureRenderer, HttpEnv } from "../platform/http/index.js";
import { callOf } from "./call.js";
import type { Answer, PlacementClient, Route } from "./call.js";
import { RestErrors, codeOf, statusOverrides } from "./errors.js";
import { MAX_MINOR, minorOf } from "./microversion.js";
import { routes } from "./routes/index.js";

export interface PlacementGatewayDeps {
  /** Of a channel opened as `gateway`. */
  readonly placement: PlacementClient;
  /** @throws an unauthenticated error for a token that is not valid */
  authenticate(ctx: Ctx, token: string): Promise<Actor>;
  /** Where clients get tokens; told to those who come without one. */
  readonly identityUrl?: string;
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
  env,
  clock,
}: PlacementGatewayDeps): Express {
  const app = httpApp("placement", env);
  app.get("/", (_req, res) => {
    res.json({
      versions: [
        {
          id: "v1.0",
          min_version: "1.0",
          max_version: `1.${MAX_MINOR}`,
          status: "CURRENT",
          links: [{ rel: "self", href: "" }],
        },
      ],
    });
  });
  app.use(identify(authenticate), negotiate, parseBody, assertText);
  for (const [path, mine] of byPath(routes)) {
    app.all(path, (req, res) => serve(req, res, mine));
  }
  app.use(() => {
    throw RestErrors.ROUTE_NOT_FOUND({});
  });
  app.use(failureHandler(render(identityUrl), statusOverrides));
  return app;

  async function serve(req: Request, res: Response, mine: readonly Route[]): Promise<void> {
    const minor = minors.get(req) ?? 0;
    assertStorable(req.params);
    const route = routeFor(req, res, mine, minor);
    allow(req, ctxOf(req).actor, route);
    reply(
      req,
      res,
      await route.handler(callOf(req, res, { ctx: ctxOf(req), placement, minor })),
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

function identify(authenticate: PlacementGatewayDeps["authenticate"]): RequestHandler {
  return async (req: Request, _res: Response, next: NextFunction): Promise<void> => {
    const token = req.get("x-auth-token") ?? "";
    if (token === "") throw RestErrors.UNAUTHORIZED({});
    await setCaller(req, { actor: await authenticate(ctxOf(req), token) });
    next();
  };
}

function negotiate(req: Request, res: Response, next: NextFunction): void {
  const minor = minorOf(req.get("openstack-api-version"));
  minors.set(req, minor);
  res.setHeader("OpenStack-API-Version", `placement 1.${minor}`);
  res.setHeader("Vary", "openstack-api-version");
  if (req.accepts("application/json") === false) throw RestErrors.NOT_ACCEPTABLE({});
  next();
}

const parse = jsonParser({ limit: MAX_BODY_BYTES, type: () => true, strict: false, inflate: false });

function parseBody(req: Request, res: Response, next: NextFunction): void {
  const length = req.get("content-length");
  if (length !== undefined && !/^\d+$/.test(length)) throw RestErrors.CONTENT_LENGTH_INVALID({});
  if ((length === undefined || length === "0") && req.get("transfer-encoding") === undefined) return next();
  const type = req.get("content-type");
  if (type === undefined) throw RestErrors.CONTENT_TYPE_MISSING({});
  if (type.split(";")[0]?.trim().toLowerCase() !== "application/json")
    throw RestErrors.CONTENT_TYPE_UNSUPPORTED({ type });
  parse(req, res, (error?: unknown) => {
    next(error instanceof SyntaxError ? RestErrors.JSON_MALFORMED({}, { cause: error }) : error);
  });
}

/** A middleware of its own: what is thrown in the parser's callback would reach nobody. */
function assertText(req: Request, _res: Response, next: NextFunction): void {
  assertStorable(req.body);
  next();
}

/** The route of the method at this version. @throws ROUTE_NOT_FOUND, METHOD_NOT_ALLOWED */
function routeFor(req: Request, res: Response, mine: readonly Route[], minor: number): Route {
  const method = req.method === "HEAD" ? "GET" : req.method;
  const lives = (route: Route): boolean => minor >= route.since && minor <= (route.until ?? MAX_MINOR);
  const known = mine.filter((route) => route.method === method);
  const route = known.find(lives);
  if (route !== undefined) return route;
  if (known.length > 0 && !known.some(({ missingMeans }) => missingMeans === "method"))
    throw RestErrors.ROUTE_NOT_FOUND({});
  res.setHeader("Allow", [...new Set(mine.filter(lives).map((one) => one.method))].join(", "));
  throw RestErrors.METHOD_NOT_ALLOWED({});
}

/**
 * @source placement-api §1: administrators and services; readers of a project see its usages; only services
 *   reshape
 */
function allow(req: Request, actor: Actor, { policy, path }: Route): void {
  const has = (role: string): boolean => actor.roles.includes(role);
  const allowed =
    policy === "service"
      ? has("service")
      : has("admin") ||
        has("service") ||
        (policy === "project-reader" &&
          has("reader") &&
          lastOf(queryOf(req), "project_id") === actor.projectId);
  if (!allowed) throw RestErrors.FORBIDDEN({ rule: `placement:${path.slice(1).replaceAll("/", ":")}` });
}

function reply(
  req: Request,
  res: Response,
  { status, json, location, modified }: Answer,
  minor: number,
  now: Instant,
): void {
  if (location !== undefined) res.setHeader("Location", location);
  if (minor >= 15 && (req.method === "GET" || json !== undefined || status === 201)) {
    res.setHeader("Last-Modified", new Date(Number((modified ?? now) / 1000n)).toUTCString());
    res.setHeader("Cache-Control", "no-cache");
  }
  if (json === undefined) res.status(status).end();
  else res.status(status).json(json);
}

const render =
  (identityUrl: string): FailureRenderer =>
  (failed, req, res) => {
    const minor = minors.get(req) ?? 0;
    if (failed.status === 401)
      res.setHeader("WWW-Authenticate", identityUrl === "" ? "Keystone" : `Keystone uri="${identityUrl}"`);
    res.status(failed.status).json({
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
