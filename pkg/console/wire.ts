import { ConsoleTokenServiceDefinition } from "../../gen/kilonova/cells/v1/console_tokens_service.js";
import type { Ids, Logger } from "../kernel/index.js";
import { failureHandler, httpApp, listen } from "../platform/http/index.js";
import type { ConnectionLimits, HttpEnv, HttpServer } from "../platform/http/index.js";
import type { Channel } from "../platform/rpc/index.js";
import type { Metrics } from "../platform/telemetry/index.js";
import { clusterConsoles } from "./adapters/cluster-consoles.js";
import type { ConsoleConfig } from "./config.js";
import { addPages } from "./pages.js";
import { ConsoleProxy } from "./proxy.js";

export interface ConsoleDeps {
  readonly config: ConsoleConfig;
  readonly env: HttpEnv;
  readonly rest: ConnectionLimits;
  /** To the cells service, as `console`. */
  readonly cells: Channel;
  /** To the agent of a host, as `console`. */
  agent(host: string, address: string): Channel;
  readonly ids: Ids;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Opens the console proxy at an address. */
export async function startConsoleProxy(
  { config, env, rest, cells, agent, ids, log, metrics }: ConsoleDeps,
  at: { readonly host: string; readonly port: number },
): Promise<HttpServer> {
  const consoles = clusterConsoles({ tokens: cells.client(ConsoleTokenServiceDefinition), agent, ids });
  const proxy = new ConsoleProxy({ config, consoles, ids, log });
  metrics.reading("kilonova_console_open", "Consoles that are open.", () => proxy.open);
  const app = httpApp("console", env);
  addPages(app, config.allowedOrigins);
  app.use((_req, res) => void res.sendStatus(404));
  app.use(failureHandler(({ status }, _req, res) => void res.sendStatus(status)));
  const server = await listen(app, {
    ...at,
    log,
    limits: rest,
    onUpgrade: (...connection) => proxy.upgrade(...connection),
  });
  return {
    ...server,
    close: async (graceMs) => {
      await Promise.all([server.close(graceMs), proxy.close()]);
    },
  };
}
