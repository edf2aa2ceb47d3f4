import type { Request, Response } from "express";
import type { Fault } from "../faults.js";
import { faultBody } from "../faults.js";
import type { Microversion } from "../microversion/version.js";
import { versionText } from "../microversion/version.js";
import type { Reply } from "./api-request.js";

const JSON_TYPE = "application/json";
const VENDOR_TYPE = "application/vnd.openstack.compute+json";

/** Tells the version in force; answers without these headers never got as far as knowing it. */
export function setVersionHeaders(res: Response, asked: string): void {
  res.setHeader("OpenStack-API-Version", `compute ${asked}`);
  res.setHeader("X-OpenStack-Nova-API-Version", asked);
  res.setHeader("Vary", ["OpenStack-API-Version", "X-OpenStack-Nova-API-Version"]);
}

export const setVersion = (res: Response, version: Microversion): void =>
  setVersionHeaders(res, versionText(version));

/** Sends a handler's answer. Goes past Express' `send`, which would add an ETag, a charset and a copy. */
export function sendReply(req: Request, res: Response, status: number, reply: Reply): void {
  res.statusCode = reply.status ?? status;
  if (reply.location !== undefined) res.setHeader("Location", reply.location);
  if (reply.unreachableCells !== undefined && reply.unreachableCells > 0)
    res.setHeader("X-Kilonova-Unreachable-Cells", String(reply.unreachableCells));
  if (reply.json === undefined) {
    res.setHeader("Content-Length", "0");
    res.removeHeader("Content-Type");
    if (res.statusCode === 204) res.removeHeader("Content-Length");
    res.end();
    return;
  }
  sendJson(res, reply.json, preferredType(req));
}

export function sendFault(res: Response, fault: Fault): void {
  res.statusCode = fault.status;
  if (fault.retryAfter !== undefined) res.setHeader("Retry-After", fault.retryAfter);
  sendJson(res, faultBody(fault), "application/json; charset=UTF-8");
}

export function sendJson(res: Response, body: string | Buffer, type = JSON_TYPE): void {
  res.setHeader("Content-Type", type);
  res.setHeader("Content-Length", Buffer.byteLength(body));
  res.end(body);
}

/** The vendor type is only sent to who prefers it; an Accept that fits nothing gets JSON too, never 406. */
function preferredType(req: Request): string {
  const accept = req.headers.accept;
  if (accept === undefined || !accept.includes(VENDOR_TYPE)) return JSON_TYPE;
  return req.accepts([JSON_TYPE, VENDOR_TYPE]) === VENDOR_TYPE ? VENDOR_TYPE : JSON_TYPE;
}

/** The body of the router's own 404, which is not in the fault format. */
const NO_ROUTE = JSON.stringify({
  message: "The resource could not be found.<br /><br />\n\n\n",
  code: "404 Not Found",
  title: "Not Found",
});

/** No such path, or no such method on it: never 405. */
export function sendNoRoute(res: Response): void {
  res.statusCode = 404;
  sendJson(res, NO_ROUTE);
}

/** The form of the token middleware, which is not the fault format either. */
export function sendUnauthorized(res: Response, identityUrl: string): void {
  res.statusCode = 401;
  res.setHeader("WWW-Authenticate", `Keystone uri="${identityUrl}"`);
  const message = "The request you have made requires authentication.";
  sendJson(res, JSON.stringify({ error: { code: 401, title: "Unauthorized", message } }));
}

/** Comes before anything of the API, hence not in its format. */
export function sendTooLarge(res: Response, message: string): void {
  res.statusCode = 413;
  // The rest of the body was not read.
  res.setHeader("Connection", "close");
  const text = `413 Request Entity Too Large\n\n${message}\n`;
  res.setHeader("Content-Type", "text/plain; charset=UTF-8");
  res.setHeader("Content-Length", Buffer.byteLength(text));
  res.end(text);
}
