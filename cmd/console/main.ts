import { startConsoleProxy } from "../../pkg/console/index.js";
import { warnOfFewDescriptors } from "../../pkg/platform/http/index.js";
import { systemIds } from "../../pkg/platform/process/index.js";
import { joinCluster, parseAddress, runProcess } from "../../pkg/platform/service/index.js";
import { sections } from "./config.js";

const REQUEST_TIMEOUT_MS = 30_000;

await runProcess("console", sections, async (service) => {
  const { config, lifecycle, log, metrics } = service;
  const { rest, consoleRest } = config;
  warnOfFewDescriptors(log, [rest.maxConnections]);
  const cluster = await joinCluster(service);
  await service.holdTasks();
  await lifecycle.start("console", async () => {
    const server = await startConsoleProxy(
      {
        config: config.console,
        env: { ...service.httpEnv(REQUEST_TIMEOUT_MS), trustedProxies: rest.trustedProxies },
        rest,
        cells: cluster.connect("cells"),
        agent: (host, address) => cluster.agent(host, address),
        ids: systemIds,
        log,
        metrics,
      },
      parseAddress("consoleRest.listen", consoleRest.listen),
    );
    return { value: server, stop: (budgetMs) => server.close(budgetMs) };
  });
});
