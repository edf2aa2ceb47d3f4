import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Metrics } from "../telemetry/index.js";
import type { HostPort } from "./address.js";
import { limitConnections } from "../http/connections.js";
import { formatAddress } from "./address.js";

/** Connections of probes and scrapers; of more, the oldest goes. */
const MOST = 64;

/** What must be so before a process gets work, by name: `true`, or why not yet. */
export class Readiness {
  readonly #checks = new Map<string, () => true | string>();

  check(name: string, fn: () => true | string): void {
    this.#checks.set(name, fn);
  }

  /** Why the process is not ready; empty when it is. */
  missing(): Readonly<Record<string, string>> {
    const entries = [...this.#checks].map(([name, fn]) => [name, fn()] as const);
    return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== true));
  }
}

export interface StatusServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * `/healthz` (the process runs), `/readyz` (it can be given work; 503 with the reasons until then and while
 * it ends) and `/metrics` (Prometheus). Nothing secret, no authentication: for probes and scrapers of the
 * same network.
 */
export async function startStatusServer(options: {
  readonly listen: HostPort;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
}): Promise<StatusServer> {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 10_000 }, (req, res) => {
    answer(req, res, options).catch(() => res.destroy());
  });
  limitConnections(server, { maxConnections: MOST, maxConnectionsPerAddress: MOST }, () => false);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.listen.port, options.listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${formatAddress({ host: options.listen.host, port })}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  req: IncomingMessage,
  res: ServerResponse,
  { readiness, metrics }: { readonly readiness: Readiness; readonly metrics: Metrics },
): Promise<void> {
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  switch (new URL(req.url ?? "/", "http://status").pathname) {
    case "/healthz":
      return json(res, 200, { healthy: true, uptimeSeconds: Math.floor(process.uptime()) });
    case "/readyz": {
      const missing = readiness.missing();
      const ready = Object.keys(missing).length === 0;
      return json(res, ready ? 200 : 503, { ready, missing });
    }
    case "/metrics":
      res
        .writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" })
        .end(await metrics.expose());
      return;
    default:
      json(res, 404, { error: "There are /healthz, /readyz and /metrics." });
  }
}

function json(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(body)}\n`);
}
