import { buildApi } from "../../pkg/api/index.js";
import { systemClock, systemIds } from "../../pkg/platform/process/index.js";
import { Sharing } from "../../pkg/platform/sharing/index.js";
import { joinCluster, runProcess } from "../../pkg/platform/service/index.js";
import { openStackClients } from "../shared/openstack.js";
import { namedKeys } from "../shared/keys.js";
import { openPolicy } from "../shared/policy-file.js";
import { sections } from "./config.js";
import { servePublicGrpc } from "./public-grpc.js";

await runProcess("api", sections, async (service) => {
  const { config } = service;
  const tokenKeys = namedKeys("tokens.keys", config.tokens.keys);
  const cluster = await joinCluster(service);
  const { keystone, glance, neutron, cinder } = openStackClients(config.identity);
  const api = buildApi({
    config: config.api,
    policy: openPolicy(config.policy),
    clock: systemClock,
    ids: systemIds,
    tokenKeys,
    cells: cluster.connect("cells"),
    scheduler: cluster.connect("scheduler"),
    agent: (address, host) => cluster.agent(host, address),
    glance,
    neutron,
    cinder,
    keystone,
  });
  await cluster.serve(api);
  await servePublicGrpc(service, config.publicGrpc, api.bindings, keystone, new Sharing(config.sharing));
});
