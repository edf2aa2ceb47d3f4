import type { Channel, RpcServer, ServiceBinding } from "../rpc/index.js";
import { connectRpc, startRpcServer } from "../rpc/index.js";
import type { Ctx } from "../../kernel/index.js";
import type { HostDirectory, ServiceDirectory } from "../coordination/index.js";
import { systemClock } from "../process/index.js";
import type { HostPort } from "./address.js";
import { advertised, formatAddress, parseAddress } from "./address.js";
import { AgentChannels } from "./agent-channels.js";
import type { PeersConfig } from "./config.js";
import type { Credentials } from "./credentials.js";
import { openCredentials } from "./credentials.js";
import { discoveredChannel } from "./discovered-channel.js";
import type { ClusterProcess } from "./process.js";
import { openRegistry } from "./registry.js";
import { version } from "./version.js";

/** What every service room builds. */
export interface BuiltService {
  readonly bindings: readonly ServiceBinding[];
  start(ctx: Ctx): Promise<void> | void;
  close(): Promise<void>;
}

const IDLE_SWEEP_MS = 30_000;

/** This process's place among the services: whom it can reach, who is alive, what it serves. */
export class Cluster {
  readonly hosts: HostDirectory;
  readonly services: ServiceDirectory;
  readonly #process: ClusterProcess;
  readonly #credentials: Credentials;
  readonly #agents: AgentChannels;

  constructor(
    process: ClusterProcess,
    credentials: Credentials,
    registry: { readonly hosts: HostDirectory; readonly services: ServiceDirectory },
  ) {
    this.#process = process;
    this.#credentials = credentials;
    this.hosts = registry.hosts;
    this.services = registry.services;
    const { agentChannels, agentIdleMs } = process.config.rpc;
    this.#agents = new AgentChannels({
      max: agentChannels,
      idleMs: agentIdleMs,
      clock: systemClock,
      open: (host, address, asHost) => this.#open(address, { service: "compute", host }, asHost),
    });
    process.report("agentConnections", () => this.#agents.size);
  }

  /** A channel to a service by name. @param asHost  the logical host whose certificate is shown (compute) */
  connect(service: keyof PeersConfig, asHost = ""): Channel {
    const fixed = this.#process.config.peers[service];
    return discoveredChannel({
      service,
      clock: systemClock,
      random: Math.random,
      addresses: () =>
        fixed.length > 0 ? fixed : this.services.instances(service).map(({ address }) => address),
      onChange: (listener) => this.services.onChange(listener),
      open: (address) => this.#open(address, { service, host: "" }, asHost),
    });
  }

  /**
   * A channel to the agent of a host, at the address in its record: whoever else answers there is refused.
   * @param asHost  the logical host whose certificate is shown (compute)
   */
  agent(host: string, address: string, asHost = ""): Channel {
    return this.#agents.to(host, address, asHost);
  }

  /** Serves `service` at `rpc.listen` and makes it known; its background work runs meanwhile. */
  async serve(service: BuiltService): Promise<void> {
    const { name, id, host, config, lifecycle, tasks, ctx } = this.#process;
    await lifecycle.start(name, async () => ({ value: service, stop: () => service.close() }));
    tasks.task(name, async (inner) => {
      await service.start(inner);
    });
    await this.#process.holdTasks();
    const address = await this.listen(parseAddress("rpc.listen", config.rpc.listen), service.bindings, "");
    await lifecycle.start("registration", async () => {
      const leaving = new AbortController();
      const kept = await this.services.announce(
        { ...ctx, signal: leaving.signal },
        { service: name, id, address, host, version: version() },
      );
      this.#process.readiness.check("registration", () => kept.held || "the lease is lost");
      return {
        value: kept,
        stop: async () => {
          leaving.abort();
          await kept.released;
        },
      };
    });
  }

  /**
   * Opens a server for other services. @param asHost whose certificate it shows (compute). @returns the
   * address that others are told
   */
  async listen(at: HostPort, bindings: readonly ServiceBinding[], asHost: string): Promise<string> {
    const { config, lifecycle, log, tracer, metrics } = this.#process;
    const server: RpcServer = await lifecycle.start("rpc", async () => {
      const started = await startRpcServer({
        address: formatAddress(at),
        bindings,
        credentials: this.#credentials.server(asHost),
        log,
        tracer,
        metrics,
        maxInFlight: config.rpc.maxInFlight,
      });
      return { value: started, stop: (budgetMs) => started.drain(budgetMs) };
    });
    const address = this.addressOf({ host: at.host, port: server.port });
    log.info("service.listening", { address });
    return address;
  }

  /** What others are told when this process listens at a fixed port. @throws BAD_ADDRESS */
  addressOf(at: HostPort): string {
    return advertised(at, this.#process.config.rpc.advertiseHost);
  }

  closeIdle(): void {
    this.#agents.closeIdle();
  }

  close(): Promise<void> {
    return this.#agents.close();
  }

  #open(address: string, to: { readonly service: string; readonly host: string }, asHost: string): Channel {
    return connectRpc(address, {
      credentials: this.#credentials.channel(asHost, to),
      serverName: to.host || to.service,
      attempts: 1,
    });
  }
}

/** Opens certificates and registry; returns when it is known who is alive. */
export async function joinCluster(process: ClusterProcess): Promise<Cluster> {
  const { config, lifecycle, log, metrics, tasks } = process;
  const credentials = await lifecycle.start("credentials", async () => {
    const opened = openCredentials(config.rpc, log);
    return { value: opened, stop: async () => opened.close() };
  });
  const notAfter = metrics.gauge(
    "kilonova_certificate_not_after_seconds",
    "When the first of this process's certificates ends, Unix time.",
    [],
  );
  const registry = await openRegistry(process);
  const cluster = new Cluster(process, credentials, registry);
  await lifecycle.start("agent-connections", async () => ({ value: cluster, stop: () => cluster.close() }));
  tasks.task("upkeep", async (ctx) => {
    while (!ctx.signal.aborted) {
      cluster.closeIdle();
      if (Number.isFinite(credentials.notAfterMs())) notAfter.set({}, credentials.notAfterMs() / 1000);
      await systemClock.sleep(IDLE_SWEEP_MS, ctx.signal).catch(() => {});
    }
  });
  return cluster;
}
