import { joinCluster, runProcess } from "../../pkg/platform/service/index.js";
import { openStackClients } from "../shared/openstack.js";
import { sections } from "./config.js";
import { startHosts } from "./hosts.js";

await runProcess("compute", sections, async (service) => {
  await startHosts(service, await joinCluster(service), openStackClients(service.config.identity));
});
