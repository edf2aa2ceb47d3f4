import { AgentServiceDefinition } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { HostService, HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../kernel/ctx.js";
import type { Clock } from "../../kernel/time.js";
import type { Channel, Client } from "../../platform/rpc/index.js";
import { COMPUTE_BINARY } from "../../model/service-names.js";
import { ConductorErrors } from "../errors.js";
import type { AgentAddresses, Agents, HostRef } from "../ports.js";

const KEEP_MS = 5_000;

interface Known {
  readonly atMs: number;
  readonly address: string;
  readonly client: Client<typeof AgentServiceDefinition>;
  readonly channel: Channel;
}

/**
 * Finds agents by the addresses that their cells know, and keeps one channel to each. An address is looked up
 * again after five seconds, so that a host that moved is found without asking for every command.
 */
export function agentsOf(
  hosts: Pick<Client<HostsServiceDefinition>, "listHosts">,
  connect: (host: string, address: string) => Channel,
  clock: Clock,
): Agents & { readonly addresses: AgentAddresses; close(): Promise<void> } {
  const known = new Map<string, Known>();
  const find = async (ctx: Ctx, { cell, host }: HostRef): Promise<HostService | undefined> =>
    (await hosts.listHosts(ctx, { cell, host, binary: COMPUTE_BINARY })).services[0];
  const registered = async (ctx: Ctx, ref: HostRef): Promise<HostService> => {
    const service = await find(ctx, ref);
    if (service === undefined) throw ConductorErrors.HOST_NOT_REGISTERED({ host: ref.host });
    return service;
  };
  return {
    at: async (ctx, ref) => {
      const key = `${ref.cell}/${ref.host}`;
      const now = clock.monotonicMs();
      const before = known.get(key);
      if (before !== undefined && now - before.atMs < KEEP_MS) return before.client;
      const service = await registered(ctx, ref);
      if (before !== undefined && before.address === service.address) {
        known.set(key, { ...before, atMs: now });
        return before.client;
      }
      const channel = connect(ref.host, service.address);
      const client = channel.client(AgentServiceDefinition);
      known.set(key, { atMs: now, address: service.address, client, channel });
      await before?.channel.close();
      return client;
    },
    isUp: async (ctx, ref) => (await find(ctx, ref))?.up ?? false,
    addresses: { of: async (ctx, ref) => (await registered(ctx, ref)).address },
    close: async () => {
      await Promise.all([...known.values()].map(({ channel }) => channel.close()));
    },
  };
}
