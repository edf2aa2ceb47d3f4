import { join } from "node:path";
import type { Ctx } from "../../../pkg/kernel/index.js";
import { mapLimit } from "../../../pkg/kernel/index.js";
import type { Agent, ComputeConfig, HostCapacity } from "../../../pkg/compute/index.js";
import { buildAgent } from "../../../pkg/compute/wire.js";
import type { HostDirectory } from "../../../pkg/platform/coordination/index.js";
import type { Tasks } from "../../../pkg/platform/process/index.js";
import type { LocalNetwork } from "../../../pkg/platform/rpc/index.js";
import { registryOf } from "../../shared/host-registry.js";
import type { OpenStackClients } from "./clients.js";
import type { Metrics } from "../../../pkg/platform/telemetry/index.js";
import type { UpOptions } from "./options.js";
import type { Secrets } from "./secrets.js";

export interface HostsDeps {
  readonly options: UpOptions;
  readonly config: ComputeConfig;
  readonly secrets: Secrets;
  readonly clients: OpenStackClients;
  readonly directory: HostDirectory;
  readonly network: LocalNetwork;
  readonly tasks: Tasks;
  readonly metrics: Metrics;
}

export const agentAddress = (host: string): string => `agent:${host}`;

const STARTED_AT_ONCE = 16;

/** The hosts of this process. They share one machine, so what one says of it holds for all. */
export interface StartedHosts {
  /** How guests are shut in; empty for the fake driver. */
  readonly guestIsolation: string;
  readonly capacity: HostCapacity;
  /** Closes them all and leaves the guests alone. */
  stop(): Promise<void>;
}

/** Starts one agent per host. */
export async function startHosts(ctx: Ctx, deps: HostsDeps): Promise<StartedHosts> {
  const { options, config, network, tasks } = deps;
  const ending = new AbortController();
  const registry = registryOf(deps.directory, { ...ctx, signal: ending.signal, deadlineMs: undefined });
  const agents = await mapLimit(options.hosts, STARTED_AT_ONCE, async (host): Promise<Agent> => {
    const agent = await buildAgent({
      config: { ...config, driver: options.driver },
      host,
      address: agentAddress(host),
      stateDir: join(options.home, "hosts", host),
      share: 1 / options.hosts.length,
      guestSeed: Buffer.from(deps.secrets.guestSeed, "base64"),
      cells: network.connect("cells", { service: "compute", host, cell: config.cell }),
      agents: (_to, address) => network.connect(address, { service: "compute", host, cell: config.cell }),
      glance: deps.clients.glance,
      neutron: deps.clients.neutron,
      vendorData: deps.clients.vendorData,
      registry,
      log: ctx.log.child({ host }),
      metrics: deps.metrics,
      task: (name, run) => tasks.task(name, run),
    });
    network.listen(agentAddress(host), agent.bindings);
    await agent.start(ctx);
    return agent;
  });
  const [first] = agents;
  if (first === undefined) throw new Error("a cloud has at least one host");
  return {
    guestIsolation: first.guestIsolation(),
    capacity: await first.capacity(ctx),
    stop: async () => {
      ending.abort();
      await mapLimit(agents, STARTED_AT_ONCE, (agent) => agent.close());
    },
  };
}
