import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { cellGuestData } from "../../pkg/compute/agent/guest-data-source.js";
import { metadataProxyApp, metadataService } from "../../pkg/compute/metadata/index.js";
import { ConfigErrors } from "../../pkg/platform/config/index.js";
import { listen } from "../../pkg/platform/http/index.js";
import { joinCluster, parseAddress, runProcess } from "../../pkg/platform/service/index.js";
import { sections } from "./config.js";

const REQUEST_TIMEOUT_MS = 30_000;

await runProcess("metadata", sections, async (service) => {
  const { config: { metadata: { listen: address, sharedSecret, cell, dhcpDomain: domain } }, lifecycle, log } = service;
  if (!sharedSecret) throw ConfigErrors.CONFIG_INVALID({ problems: "- metadata.sharedSecret: must be set" });
  const cluster = await joinCluster(service);
  const guests = metadataService(cellGuestData({ cell, domain, instances: cluster.connect("cells").client(InstancesServiceDefinition) }));
  await service.holdTasks();
  await lifecycle.start("metadata", async () => {
    const server = await listen(metadataProxyApp(service.httpEnv(REQUEST_TIMEOUT_MS), guests, { sharedSecret }), { ...parseAddress("metadata.listen", address), log });
    return { value: server, stop: (budgetMs) => server.close(budgetMs) };
  });
});
