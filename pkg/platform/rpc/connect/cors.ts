import { cors } from "@connectrpc/connect";
import type { HttpRequest, HttpResponse } from "./exchange.js";

/** What pages may send besides the protocol's own headers. */
const OUR_HEADERS = ["x-auth-token", "authorization", "x-global-request-id", "traceparent"];
const ALLOWED_HEADERS = [...cors.allowedHeaders, ...OUR_HEADERS].join(", ");
const EXPOSED_HEADERS = [...cors.exposedHeaders, "x-request-id", "retry-after"].join(", ");
const ALLOWED_METHODS = cors.allowedMethods.join(", ");
const MAX_AGE_S = "600";

/**
 * Lets pages of the given origins call; `*` stands for all. Tokens travel in headers and never in cookies, so
 * credentials are not allowed.
 * @returns whether the request was a preflight, which is answered now
 */
export function answerCors(
  request: HttpRequest,
  response: HttpResponse,
  origins: readonly string[],
): boolean {
  const { origin } = request.headers;
  const allowed = origin !== undefined && (origins.includes("*") || origins.includes(origin));
  if (origins.length > 0) response.setHeader("vary", "Origin");
  if (allowed) {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-expose-headers", EXPOSED_HEADERS);
  }
  if (request.method !== "OPTIONS") return false;
  if (allowed) {
    response.setHeader("access-control-allow-methods", ALLOWED_METHODS);
    response.setHeader("access-control-allow-headers", ALLOWED_HEADERS);
    response.setHeader("access-control-max-age", MAX_AGE_S);
  }
  response.statusCode = 204;
  response.end();
  return true;
}
