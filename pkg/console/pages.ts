import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import express from "express";
import type { Express, RequestHandler } from "express";
import { packageRoot } from "../platform/service/index.js";

/** Ours: the page, its script and style. */
const PAGE = join(packageRoot(), "pkg", "console", "page");
/** The folder of the package noVNC, whose only entry is `core/rfb.js`. */
const NOVNC = dirname(dirname(createRequire(import.meta.url).resolve("@novnc/novnc")));

/**
 * Serves the page that shows a screen. Nova's addresses name it `vnc_auto.html`, newer ones `vnc_lite.html`.
 * @param frames  origins of pages that may show it in a frame
 */
export function addPages(app: Express, frames: readonly string[]): void {
  app.use(closedUp(frames));
  const file =
    (name: string): RequestHandler =>
    (_req, res) =>
      res.sendFile(name, { root: PAGE, cacheControl: false });
  for (const page of ["/vnc_auto.html", "/vnc_lite.html"]) app.get(page, file("vnc.html"));
  for (const name of ["vnc.js", "vnc.css"]) app.get(`/${name}`, file(name));
  for (const part of ["core", "vendor"])
    app.use(`/novnc/${part}`, express.static(join(NOVNC, part), { index: false, redirect: false }));
}

/**
 * A page of this origin opens consoles: it runs our scripts only, talks to this origin only, and tells nobody
 * its address, which has the token in it.
 */
function closedUp(frames: readonly string[]): RequestHandler {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${["'self'", ...frames].join(" ")}`,
  ].join("; ");
  return (_req, res, next) => {
    res.set({
      "content-security-policy": policy,
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
    });
    next();
  };
}
