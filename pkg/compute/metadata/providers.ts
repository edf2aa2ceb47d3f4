import { LRUCache } from "lru-cache";
import type { PortQuery, SubnetQuery } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/index.js";

/** Whose request it is, or why that cannot be said. */
export type Owner =
  { readonly instanceUuid: string; readonly projectId: string } | { readonly problem: string };

/**
 * Finds guests behind a load balancer or an external network virtualisation, which names only itself and the
 * guest's address.
 */
export interface MetadataProviders {
  /** @param address  of the guest; unique among all networks that the provider serves */
  find(ctx: Ctx, providerId: string, address: string): Promise<Owner>;
}

/** What the Network service is asked; a `Neutron`. */
export interface ProviderNetworks {
  listSubnets(ctx: Ctx, query: SubnetQuery): Promise<readonly { readonly networkId: string }[]>;
  listPorts(
    ctx: Ctx,
    query: PortQuery,
  ): Promise<readonly { readonly deviceId: string; readonly projectId: string }[]>;
}

/** Nova asks about this many networks at a time: a query has to fit into a URL. */
const NETWORKS_PER_QUERY = 200;
const CACHED = 10_000;

/**
 * @param cacheMs how long an address is believed to be a guest's; 0 asks each time @source nova,
 *   X-Metadata-Provider
 */
export function neutronProviders(neutron: ProviderNetworks, cacheMs: number): MetadataProviders {
  const known = cacheMs === 0 ? undefined : new LRUCache<string, Owner>({ max: CACHED, ttl: cacheMs });
  return {
    find: async (ctx, providerId, address) => {
      const key = `${providerId} ${address}`;
      const cached = known?.get(key);
      if (cached) return cached;
      const owner = await findOwner(ctx, neutron, providerId, address);
      if (!("problem" in owner)) known?.set(key, owner);
      return owner;
    },
  };
}

async function findOwner(
  ctx: Ctx,
  neutron: ProviderNetworks,
  providerId: string,
  address: string,
): Promise<Owner> {
  const subnets = await neutron.listSubnets(ctx, { advancedServiceProviders: [providerId] });
  const networkIds = [...new Set(subnets.map((subnet) => subnet.networkId))];
  if (networkIds.length === 0) return { problem: `Could not find any subnets for provider ${providerId}` };
  const ports: { readonly deviceId: string; readonly projectId: string }[] = [];
  for (let at = 0; at < networkIds.length; at += NETWORKS_PER_QUERY) {
    ports.push(
      ...(await neutron.listPorts(ctx, {
        networkIds: networkIds.slice(at, at + NETWORKS_PER_QUERY),
        ipAddress: address,
      })),
    );
  }
  const [port, ...more] = ports;
  if (port === undefined || more.length > 0) {
    return {
      problem: `Expected a single port matching provider ${providerId} and IP ${address}. Found ${ports.length}.`,
    };
  }
  return { instanceUuid: port.deviceId, projectId: port.projectId };
}
