import type { Ctx } from "../../../kernel/index.js";
import { listNetworks, insertNetwork, networkListing } from "../adapters/sql/networks.js";
import { ensureDefaultGroup } from "../adapters/sql/security-groups.js";
import { insertSubnet } from "../adapters/sql/subnets.js";
import { readListing } from "../domain/listing.js";
import type { Network, Standard, Subnet } from "../domain/model.js";
import { planSubnet } from "../domain/subnet-rules.js";
import type { NetworkParts } from "../ports.js";
import { openDhcpPort } from "./dhcp-port.js";
import { newStandard } from "../domain/model.js";

/** A network that everybody may use from the first minute. */
export interface SeedNetwork {
  readonly name: string;
  readonly projectId: string;
  readonly cidr: string;
  readonly dnsNameservers: readonly string[];
}

/**
 * Makes a shared network with one IPv4 subnet with DHCP, and the default groups of some projects. Repeatable:
 * a network of that name and project is left as it is.
 * @returns the network's id
 */
export async function seedNetwork(
  parts: NetworkParts,
  ctx: Ctx,
  seed: SeedNetwork,
  projectIds: readonly string[],
): Promise<string> {
  const { db, clock, ids, random, config } = parts;
  const admin = { ...ctx.actor, roles: ["admin"] };
  const wanted = readListing(
    new Map([
      ["name", [seed.name]],
      ["project_id", [seed.projectId]],
    ]),
    networkListing,
  );
  const [found] = await db.read(ctx, "network.seed.find", (tx) => listNetworks(tx, admin, wanted));
  if (found && found.subnetIds.length > 0) return found.id;
  return db.write(ctx, "network.seed", async (tx) => {
    const now = clock.now();
    const standard = (name: string): Standard => newStandard(ids.uuid(), seed.projectId, now, { name });
    const [existing] = await listNetworks(tx, admin, wanted);
    const network: Network = existing ?? {
      ...standard(seed.name),
      adminStateUp: true,
      shared: true,
      external: false,
      isDefault: false,
      mtu: config.defaultMtu,
      portSecurityEnabled: true,
      dnsDomain: "",
      networkType: config.defaultNetworkType,
      physicalNetwork: null,
      segmentationId: null,
      subnetIds: [],
    };
    if (!existing) await insertNetwork(tx, network, random);
    const plan = planSubnet(
      { ipVersion: 4, cidr: seed.cidr, gatewayIp: undefined, pools: undefined },
      network.id,
      [],
    );
    const subnet: Subnet = {
      ...standard(`${seed.name}-subnet`),
      networkId: network.id,
      ipVersion: 4,
      cidr: plan.cidr,
      gatewayIp: plan.gatewayIp,
      enableDhcp: true,
      dnsNameservers: seed.dnsNameservers,
      allocationPools: plan.pools,
      hostRoutes: [],
      ipv6RaMode: null,
      ipv6AddressMode: null,
    };
    await insertSubnet(tx, subnet);
    await openDhcpPort(parts, tx, network, subnet);
    for (const projectId of projectIds) await ensureDefaultGroup(tx, projectId, ids, now);
    return network.id;
  });
}
