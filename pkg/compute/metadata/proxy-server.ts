import express from "express";
import type { Express, NextFunction, Request, Response } from "express";
import type { HttpEnv } from "../../platform/http/index.js";
import { ctxOf, failureHandler, httpApp } from "../../platform/http/index.js";
import { ec2VersionList } from "../guestdata/index.js";
import type { MetadataAnswer } from "./answers.js";
import { plain } from "./answers.js";
import { identify } from "./identify.js";
import { normalPath } from "./path.js";
import type { MetadataProviders } from "./providers.js";
import type { MetadataService } from "./service.js";

const maxBodyBytes = 64 << 10;

export interface ProxyServerOptions {
  /** Shared with the proxies (`metadata_proxy_shared_secret`); never empty. */
  readonly sharedSecret: string;
  readonly providers: MetadataProviders;
}

/**
 * The metadata service for network agents' proxies and load balancers (port 8775), which say on whose behalf
 * they ask in signed headers. Serve it with `listen`. Never expose it to guests.
 * @source nova, [neutron]service_metadata_proxy
 */
export function metadataProxyApp(
  env: HttpEnv,
  service: MetadataService,
  options: ProxyServerOptions,
): Express {
  if (options.sharedSecret === "") throw new Error("the metadata service needs a shared secret");
  const app = httpApp("metadata", env);
  app.use(express.raw({ limit: maxBodyBytes, type: () => true, inflate: false }));
  app.use((req: Request, res: Response, next: NextFunction) => {
    answer(service, options, req).then((found) => send(req, res, found), next);
  });
  app.use(failureHandler((failure, req, res) => send(req, res, plain(failure.status))));
  return app;
}

async function answer(
  service: MetadataService,
  { sharedSecret, providers }: ProxyServerOptions,
  req: Request,
): Promise<MetadataAnswer> {
  // The same for everybody: probes of load balancers come without headers.
  if (normalPath(req.originalUrl) === "") return plain(200, ec2VersionList);
  const ctx = ctxOf(req);
  const caller = await identify(ctx, req, sharedSecret, providers);
  if ("refusal" in caller) return caller.refusal;
  const body: unknown = req.body;
  return service.answer(ctx, {
    ...caller,
    method: req.method,
    path: req.originalUrl,
    body: Buffer.isBuffer(body) ? body : new Uint8Array(),
  });
}

function send(req: Request, res: Response, found: MetadataAnswer): void {
  res.writeHead(found.status, { ...found.headers, "content-length": String(found.body.length) });
  res.end(req.method === "HEAD" ? undefined : found.body);
}
