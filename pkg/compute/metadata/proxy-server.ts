import express from "express";
import type { Express, NextFunction, Request, Response } from "express";
import type { HttpEnv } from "../../platform/http/index.js";
import { ctxOf, failureHandler, httpApp } from "../../platform/http/index.js";
import type { MetadataAnswer } from "./answers.js";
import { plain } from "./answers.js";
import type { MetadataService } from "./service.js";
import { isSignedBy } from "./signature.js";

const maxBodyBytes = 64 << 10;

export interface ProxyServerOptions {
  /** Shared with the proxies (`metadata_proxy_shared_secret`); never empty. */
  readonly sharedSecret: string;
}

/**
 * The metadata service for network agents' proxies (port 8775), which say on whose behalf they ask in signed headers.
 * Serve it with `listen`. Never expose it to guests.
 * @source nova, [neutron]service_metadata_proxy
 */
export function metadataProxyApp(env: HttpEnv, service: MetadataService, options: ProxyServerOptions): Express {
  if (options.sharedSecret === "") throw new Error("the metadata service needs a shared secret");
  const app = httpApp("metadata", env);
  app.use(express.raw({ limit: maxBodyBytes, type: () => true, inflate: false }));
  app.use((req: Request, res: Response, next: NextFunction) => {
    answer(service, options, req).then((found) => send(req, res, found), next);
  });
  app.use(failureHandler((failure, req, res) => send(req, res, plain(failure.status))));
  return app;
}

async function answer(service: MetadataService, options: ProxyServerOptions, req: Request): Promise<MetadataAnswer> {
  const caller = identify(req, options.sharedSecret);
  if ("refusal" in caller) return caller.refusal;
  const body: unknown = req.body;
  return service.answer(ctxOf(req), { ...caller, method: req.method, path: req.originalUrl, body: Buffer.isBuffer(body) ? body : new Uint8Array() });
}

type Caller = { readonly instanceUuid: string; readonly projectId: string } | { readonly refusal: MetadataAnswer };

function identify(req: Request, secret: string): Caller {
  const instance = single(req, "X-Instance-ID");
  if (instance.problem !== undefined) return { refusal: plain(400, instance.problem) };
  const signature = single(req, "X-Instance-ID-Signature");
  if (signature.problem !== undefined) return { refusal: plain(400, signature.problem) };
  const tenant = single(req, "X-Tenant-ID");
  if (tenant.problem !== undefined) return { refusal: plain(400, tenant.problem) };
  if (!isSignedBy(secret, instance.value, signature.value)) return { refusal: plain(403, "Invalid proxy request signature.") };
  return { instanceUuid: instance.value, projectId: tenant.value };
}

type Header = { readonly value: string; readonly problem?: undefined } | { readonly problem: string };

/** Whoever could add a second header might speak for another guest, so exactly one must be there. */
function single(req: Request, name: string): Header {
  const values = req.headersDistinct[name.toLowerCase()] ?? [];
  const [value] = values;
  if (value === undefined || value === "") return { problem: `${name} header is missing from request.` };
  if (values.length > 1 || value.includes(",")) return { problem: `Multiple ${name} headers found within request.` };
  return { value };
}

function send(req: Request, res: Response, found: MetadataAnswer): void {
  res.writeHead(found.status, { ...found.headers, "content-length": String(found.body.length) });
  res.end(req.method === "HEAD" ? undefined : found.body);
}
