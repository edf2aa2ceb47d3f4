import { join, relative } from "node:path";
import type { UpOptions } from "./options.js";

/** What is printed when all is up. The first line is a fixed point for scripts. */
export function readyText(options: UpOptions, startedMs: number, image: string | undefined): string {
  const { ports, home, hosts, driver } = options;
  const near = relative(process.cwd(), home);
  const shown = near === "" || near.startsWith("..") ? home : near;
  const boot = image ? `openstack server create --image ${image} --flavor m1.tiny --network private --wait vm1` : "openstack server list";
  return `
Kilonova is ready (${(startedMs / 1000).toFixed(1)} s): ${hosts.length} ${driver} ${hosts.length === 1 ? "host" : "hosts"} (${hosts.slice(0, 3).join(", ")}${hosts.length > 3 ? ", …" : ""})

  Identity   http://127.0.0.1:${ports.identity}/v3      Compute    http://127.0.0.1:${ports.compute}/v2.1
  Image      http://127.0.0.1:${ports.image}         Placement  http://127.0.0.1:${ports.placement}
  Network    http://127.0.0.1:${ports.network}         gRPC       127.0.0.1:${ports.publicGrpc}
  Metrics    http://127.0.0.1:${ports.status}/metrics

In another terminal:

  source ${join(shown, "demo-openrc.sh")}        # or admin-openrc.sh; clouds.yaml lies there too
  openstack flavor list
  ${boot}
  openstack console log show vm1

Ctrl-C stops everything but the guests; npm start finds them again.
`;
}
