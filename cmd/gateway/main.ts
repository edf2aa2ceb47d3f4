import { PlacementServiceDefinition } from "../../gen/kilonova/placement/v1/placement_service.js";
import { buildGateway } from "../../pkg/gateway/index.js";
import { placementGateway } from "../../pkg/gateway-placement/index.js";
import { listen, warnOfFewDescriptors } from "../../pkg/platform/http/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { Sharing } from "../../pkg/platform/sharing/index.js";
import { joinCluster, parseAddress, runProcess } from "../../pkg/platform/service/index.js";
import { openStackClients } from "../shared/openstack.js";
import { openPolicy } from "../shared/policy-file.js";
import { sections } from "./config.js";

await runProcess("gateway", sections, async (service) => {
  const { config, lifecycle, log, metrics } = service;
  const cluster = await joinCluster(service);
  const { keystone } = openStackClients(config.identity);
  const { rest } = config;
  const env = { ...service.httpEnv(config.gateway.requestTimeoutMs), trustedProxies: rest.trustedProxies };
  warnOfFewDescriptors(log, [rest.maxConnections, rest.maxConnections]);
  const sharing = new Sharing(config.sharing);
  await service.holdTasks();
  await lifecycle.start("compute-rest", async () => {
    const server = await buildGateway({
      ...env,
      config: config.gateway,
      rest,
      api: cluster.connect("api"),
      tokens: keystone,
      policy: openPolicy(config.policy),
      ids: systemIds,
      metrics,
      turns: sharing.gate(),
    }).start();
    return { value: server, stop: (budgetMs) => server.close(budgetMs) };
  });
  if (!config.placementRest.listen) return;
  await lifecycle.start("placement-rest", async () => {
    const app = placementGateway({
      env: { ...env, turns: sharing.gate() },
      clock: systemClock,
      identityUrl: config.gateway.identityUrl,
      cors: config.placementCors,
      authenticate: (ctx, token) => keystone.validate(ctx, token),
      placement: cluster.connect("placement").client(PlacementServiceDefinition),
    });
    const server = await listen(app, {
      ...parseAddress("placementRest.listen", config.placementRest.listen),
      log,
      limits: rest,
    });
    return { value: server, stop: (budgetMs) => server.close(budgetMs) };
  });
});
