import { join, relative } from "node:path";
import type { UpOptions } from "./options.js";

export interface ReadyFacts {
  /** Name of the seeded image; undefined when Identity, Image and Network are other people's. */
  readonly image: string | undefined;
  /** How guests are shut in; empty when there are none. */
  readonly guestIsolation: string;
  /** That the process may open too few files, in a sentence; empty when it may open enough. */
  readonly descriptors: string;
}

/**
 * What is printed when all is up. The first line is a fixed point for scripts.
 */
export function readyText(options: UpOptions, startedMs: number, facts: ReadyFacts): string {
  const { hosts, driver } = options;
  const { image, guestIsolation, descriptors } = facts;
  const body = image === undefined ? besideOthers(options) : withOurOwn(options, image);
  return `
Kilonova is ready (${(startedMs / 1000).toFixed(1)} s): ${hosts.length} ${driver} ${hosts.length === 1 ? "host" : "hosts"} (${hosts.slice(0, 3).join(", ")}${hosts.length > 3 ? ", …" : ""})

${body}${guestIsolation === "" ? "" : `\n${guestIsolation}\n`}${descriptors === "" ? "" : `\n${descriptors}\n`}
Ctrl-C stops everything but the guests; npm start finds them again.
`;
}

const besideOthers = ({ ports }: UpOptions): string => `  Compute    http://127.0.0.1:${ports.compute}/v2.1
  Placement  http://127.0.0.1:${ports.placement}
  gRPC       127.0.0.1:${ports.publicGrpc}
  Metrics    http://127.0.0.1:${ports.status}/metrics
  Consoles   http://127.0.0.1:${ports.console}

Identity, Image, Network and Block Storage are those of the configuration: their catalog must name Compute and Placement.
`;

function withOurOwn({ ports, home }: UpOptions, image: string): string {
  const near = relative(process.cwd(), home);
  const shown = near === "" || near.startsWith("..") ? home : near;
  return `  Identity   http://127.0.0.1:${ports.identity}/v3      Compute    http://127.0.0.1:${ports.compute}/v2.1
  Image      http://127.0.0.1:${ports.image}         Placement  http://127.0.0.1:${ports.placement}
  Network    http://127.0.0.1:${ports.network}         gRPC       127.0.0.1:${ports.publicGrpc}
  Volumes    http://127.0.0.1:${ports.volume}         Metrics    http://127.0.0.1:${ports.status}/metrics
  Consoles   http://127.0.0.1:${ports.console}

In another terminal:

  source ${join(shown, "demo-openrc.sh")}        # or admin-openrc.sh; clouds.yaml lies there too
  openstack flavor list
  openstack server create --image ${image} --flavor m1.tiny --network private --wait vm1
  openstack console log show vm1
  openstack console url show vm1                # its screen, in a browser
`;
}
