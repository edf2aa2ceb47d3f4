import type { Request, RequestHandler, Response } from "express";

/** As oslo.middleware's section `cors` has it. */
export interface CorsOptions {
  /** `*` stands for every origin. */
  readonly allowedOrigin: readonly string[];
  readonly allowCredentials: boolean;
  readonly exposeHeaders: readonly string[];
  /** Seconds. */
  readonly maxAge: number;
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
}

const SIMPLE_HEADERS = ["accept", "accept-language", "content-language", "content-type"];

/**
 * Lets pages of the allowed origins call a service, as oslo.middleware does: a preflight (OPTIONS) is
 * answered with 200 whoever asks, and says yes only when origin, method and every header are allowed.
 *
 * Not the package `cors`: it names all methods and headers whatever a preflight asks for, and answers nothing
 * else than that to pages of other origins.
 */
export function corsHeaders(options: CorsOptions): RequestHandler {
  const permitted = new Set([...SIMPLE_HEADERS, ...options.allowHeaders.map((name) => name.toLowerCase())]);
  return (req, res, next): void => {
    const origin = req.get("origin") ?? "";
    const every = options.allowedOrigin.includes("*");
    const allowed = origin !== "" && (every || options.allowedOrigin.includes(origin));
    if (req.method === "OPTIONS") {
      if (allowed) answerPreflight(req, res, options, permitted);
      res.status(200).end();
      return;
    }
    if (allowed) {
      allowOrigin(req, res, options);
      if (options.exposeHeaders.length > 0)
        res.setHeader("Access-Control-Expose-Headers", options.exposeHeaders.join(","));
    }
    next();
  };
}

function allowOrigin(req: Request, res: Response, { allowCredentials }: CorsOptions): void {
  res.appendHeader("Vary", "Origin");
  res.setHeader("Access-Control-Allow-Origin", req.get("origin") ?? "");
  if (allowCredentials) res.setHeader("Access-Control-Allow-Credentials", "true");
}

function answerPreflight(
  req: Request,
  res: Response,
  options: CorsOptions,
  permitted: ReadonlySet<string>,
): void {
  const method = req.get("access-control-request-method") ?? "";
  const headers = (req.get("access-control-request-headers") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (!options.allowMethods.includes(method)) return;
  if (!headers.every((name) => permitted.has(name.toLowerCase()))) return;
  allowOrigin(req, res, options);
  res.setHeader("Access-Control-Max-Age", String(options.maxAge));
  res.setHeader("Access-Control-Allow-Methods", method);
  if (headers.length > 0) res.setHeader("Access-Control-Allow-Headers", headers.join(","));
}

const OPENSTACK_HEADERS = [
  "X-Auth-Token",
  "X-Subject-Token",
  "OpenStack-API-Version",
  "X-OpenStack-Nova-API-Version",
  "X-OpenStack-Request-ID",
];

/**
 * The same with OpenStack's headers. Tokens travel in those and never in cookies, so pages may send none.
 * @param origins  whose pages may call; without any nothing is said
 */
export const cors = (origins: readonly string[]): RequestHandler =>
  origins.length === 0
    ? (_req, _res, next) => next()
    : corsHeaders({
        allowedOrigin: origins,
        allowCredentials: false,
        exposeHeaders: [...OPENSTACK_HEADERS, "Content-Type"],
        maxAge: 600,
        allowMethods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        // Last-Event-ID: where a stream of events goes on.
        allowHeaders: [...OPENSTACK_HEADERS, "Last-Event-ID"],
      });
