import { hostname } from "node:os";
import { join } from "node:path";
import type { Agent, ComputeConfig } from "../../pkg/compute/index.js";
import { buildAgent } from "../../pkg/compute/wire.js";
import { mapLimit } from "../../pkg/kernel/index.js";
import { ConfigErrors } from "../../pkg/platform/config/index.js";
import type { ConfigOf } from "../../pkg/platform/config/index.js";
import type { Cluster, ServiceProcess } from "../../pkg/platform/service/index.js";
import { parseAddress } from "../../pkg/platform/service/index.js";
import type { openStackClients } from "../shared/openstack.js";
import { registryOf } from "../shared/host-registry.js";
import { openVendorData } from "../shared/vendor-data.js";
import type { sections } from "./config.js";

type Clients = Pick<ReturnType<typeof openStackClients>, "glance" | "neutron">;

const STARTED_AT_ONCE = 4;
const SEED_BYTES = 32;

/** The logical hosts of this process: those of the configuration, or some named after the machine. */
function hostNames({ hosts, hostCount }: ComputeConfig): readonly string[] {
  if (hosts.length > 0) return hosts;
  const machine = hostname().split(".")[0] ?? "host";
  return hostCount === 1 ? [machine] : Array.from({ length: hostCount }, (_, i) => `${machine}-${i + 1}`);
}

/**
 * Starts one agent per host, each with its own certificate and port: `rpc.listen` is the first, the others
 * follow it. At the end the hosts leave the registry first, so that nothing new is sent to them; guests go
 * on.
 */
export async function startHosts(
  service: ServiceProcess<typeof sections>,
  cluster: Cluster,
  clients: Clients,
): Promise<void> {
  const { config, lifecycle, tasks, log, metrics, ctx } = service;
  const names = hostNames(config.compute);
  const { first, guestSeed } = checked(config);
  const agents: Agent[] = [];
  await lifecycle.start("agents", async () => ({
    value: agents,
    stop: async () => {
      await mapLimit(agents, STARTED_AT_ONCE, (agent) => agent.close());
    },
  }));
  await service.holdTasks();
  const leaving = new AbortController();
  const vendorData = openVendorData(config.vendordata, config.vendordataDynamicAuth, config.identity.authUrl);
  const registry = registryOf(cluster.hosts, { ...ctx, signal: leaving.signal });
  const built = await mapLimit([...names.entries()], STARTED_AT_ONCE, async ([index, host]) => {
    const at = { ...first, port: first.port + index };
    const agent = await buildAgent({
      config: config.compute,
      host,
      address: cluster.addressOf(at),
      stateDir: join(config.hostState.stateDir, "hosts", host),
      share: 1 / names.length,
      guestSeed,
      cells: cluster.connect("cells", host),
      agents: (to, address) => cluster.agent(to, address, host),
      ...clients,
      vendorData,
      registry,
      log: log.child({ host }),
      metrics,
      task: (name, run) => tasks.task(name, run),
    });
    agents.push(agent);
    await cluster.listen(at, agent.bindings, host);
    return agent;
  });
  await lifecycle.start("leases", async () => ({ value: leaving, stop: async () => leaving.abort() }));
  await mapLimit(built, STARTED_AT_ONCE, (agent) => agent.start(ctx));
}

function checked({ rpc, hostState }: Pick<ConfigOf<typeof sections>, "rpc" | "hostState">): {
  readonly first: { readonly host: string; readonly port: number };
  readonly guestSeed: Buffer;
} {
  const first = parseAddress("rpc.listen", rpc.listen);
  const guestSeed = Buffer.from(hostState.guestSeed, "base64");
  const problems = [
    ...(first.port === 0 ? ["- rpc.listen: hosts need a fixed port (usual: 8790)"] : []),
    ...(guestSeed.length < SEED_BYTES
      ? [`- hostState.guestSeed: must have at least ${SEED_BYTES} bytes (openssl rand -base64 32)`]
      : []),
  ];
  if (problems.length > 0) throw ConfigErrors.CONFIG_INVALID({ problems: problems.join("\n") });
  return { first, guestSeed };
}
