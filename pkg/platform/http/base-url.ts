import type { Request } from "express";

/**
 * A host name, IPv4 or bracketed IPv6 address with an optional port; anything else in `Host` is not echoed
 * back.
 */
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * The address under which the client reached this service, without a trailing slash: for links in answers.
 * @param configured  used as it is when given; needed behind proxies that rewrite paths
 */
export function baseUrlOf(req: Request, configured?: string): string {
  if (configured) return configured.replace(/\/+$/, "");
  // X-Forwarded-Proto counts here when a trusted proxy sent it (`HttpEnv.trustedProxies`).
  const scheme = req.protocol === "https" ? "https" : "http";
  const host = req.get("host") ?? "";
  if (HOST.test(host)) return `${scheme}://${host}`;
  const { localAddress = "127.0.0.1", localPort = 80 } = req.socket;
  return `${scheme}://${localAddress.includes(":") ? `[${localAddress}]` : localAddress}:${localPort}`;
}
