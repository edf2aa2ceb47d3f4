import { InstancesServiceDefinition } from "../../gen/kilonova/cells/v1/instances_service.js";
import { cellGuestData } from "../../pkg/compute/agent/guest-data-source.js";
import { metadataProxyApp, metadataService, neutronProviders } from "../../pkg/compute/metadata/index.js";
import { ConfigErrors } from "../../pkg/platform/config/index.js";
import { listen, warnOfFewDescriptors } from "../../pkg/platform/http/index.js";
import { joinCluster, parseAddress, runProcess } from "../../pkg/platform/service/index.js";
import { openStackClients } from "../shared/openstack.js";
import { openVendorData } from "../shared/vendor-data.js";
import { sections } from "./config.js";

const REQUEST_TIMEOUT_MS = 30_000;

await runProcess("metadata", sections, async (service) => {
  const {
    config: { metadata, identity, rest, vendordata, vendordataDynamicAuth },
    lifecycle,
    log,
  } = service;
  const { listen: address, sharedSecret, cell, dhcpDomain: domain, metadataCacheExpirationMs } = metadata;
  if (!sharedSecret) throw ConfigErrors.CONFIG_INVALID({ problems: "- metadata.sharedSecret: must be set" });
  warnOfFewDescriptors(log, [rest.maxConnections]);
  const cluster = await joinCluster(service);
  const guests = metadataService(
    cellGuestData({
      cell,
      domain,
      instances: cluster.connect("cells").client(InstancesServiceDefinition),
      metadataCacheExpirationMs,
      vendorData: openVendorData(vendordata, vendordataDynamicAuth, identity.authUrl),
    }),
  );
  const providers = neutronProviders(openStackClients(identity).neutron, metadataCacheExpirationMs);
  await service.holdTasks();
  await lifecycle.start("metadata", async () => {
    const server = await listen(
      metadataProxyApp(service.httpEnv(REQUEST_TIMEOUT_MS), guests, { sharedSecret, providers }),
      { ...parseAddress("metadata.listen", address), log, limits: rest },
    );
    return { value: server, stop: (budgetMs) => server.close(budgetMs) };
  });
});
