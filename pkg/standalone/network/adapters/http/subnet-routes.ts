import { Router } from "express";
import { z } from "zod";
import type { Transaction } from "kysely";
import { parseCidr } from "../../domain/addresses.js";
import type { Network, Subnet } from "../../domain/model.js";
import { demandOwner, ownerFor } from "../../domain/policy.js";
import {
  checkAddresses,
  checkPools,
  checkRoutes,
  checkV6Modes,
  planGateway,
  planSubnet,
  refuseGatewayInPools,
} from "../../domain/subnet-rules.js";
import { subnetJson } from "../../domain/views.js";
import { E } from "../../errors.js";
import { openDhcpPort } from "../../ops/dhcp-port.js";
import type { NetworkParts } from "../../ports.js";
import { getNetwork } from "../sql/networks.js";
import { demandRoom } from "../sql/quotas.js";
import {
  deleteSubnet,
  dropDhcpAddress,
  getSubnet,
  insertSubnet,
  listSubnets,
  subnetListing,
  subnetsOf,
  updateSubnet,
} from "../sql/subnets.js";
import type { NetworkTables } from "../sql/tables.js";
import { bodyOf, changer, idOf, mountDelete, mountReads, mountTags, reply } from "./common.js";
import { flag, ipText, shortText, wholeNumber } from "./fields.js";
import { newStandard } from "../../domain/model.js";

const pools = z.array(z.strictObject({ start: ipText, end: ipText })).max(64);
const routes = z.array(z.strictObject({ destination: shortText, nexthop: ipText })).max(20);
const mode = z.enum(["slaac", "dhcpv6-stateful", "dhcpv6-stateless"]).nullish();
const mutable = {
  name: shortText.optional(),
  description: shortText.optional(),
  gateway_ip: ipText.nullish(),
  enable_dhcp: flag.optional(),
  allocation_pools: pools.optional(),
  dns_nameservers: z.array(ipText).max(5).optional(),
  host_routes: routes.optional(),
  service_types: z.array(z.never()).optional(),
};
const updateBody = z.strictObject(mutable);
const createBody = z.strictObject({
  ...mutable,
  network_id: shortText,
  ip_version: wholeNumber(4, 6).refine((value) => value !== 5, "must be 4 or 6"),
  cidr: shortText.nullish(),
  ipv6_ra_mode: mode,
  ipv6_address_mode: mode,
  subnetpool_id: z.null().optional(),
  use_default_subnetpool: z.literal(false).optional(),
  segment_id: z.null().optional(),
  prefixlen: z.null().optional(),
  project_id: shortText.optional(),
  tenant_id: shortText.optional(),
});

export function subnetRoutes(parts: NetworkParts): Router {
  const { db, clock, ids } = parts;
  const router = Router();
  mountReads(router, db, {
    one: "subnet",
    many: "subnets",
    path: "subnets",
    spec: subnetListing,
    list: listSubnets,
    get: getSubnet,
    json: subnetJson,
    single: true,
  });

  router.post(
    "/v2.0/subnets",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "subnet", createBody);
      const projectId = ownerFor(ctx.actor, wish, "create_subnet");
      const id = ids.uuid();
      const subnet = await db.write(ctx, "subnet.create", async (tx) => {
        const network = await getNetwork(tx, ctx.actor, wish.network_id);
        demandOwner(ctx.actor, network.projectId, "create_subnet");
        await demandRoom(tx, "subnet", projectId);
        const created = planned(
          wish,
          id,
          projectId,
          network,
          (await subnetsOf(tx, network.id)).map((other) => other.cidr),
          clock.now(),
        );
        await insertSubnet(tx, created);
        if (created.enableDhcp) await openDhcpPort(parts, tx, network, created);
        return created;
      });
      return { subnet: subnetJson(subnet) };
    }, 201),
  );

  const change = changer<Subnet>(parts, {
    one: "subnet",
    get: getSubnet,
    update: async (tx, next, before, ctx) => {
      await updateSubnet(tx, next);
      if (before.enableDhcp && !next.enableDhcp) await dropDhcpAddress(tx, next.id);
      if (!before.enableDhcp && next.enableDhcp)
        await openDhcpPort(parts, tx, await getNetwork(tx, ctx.actor, next.networkId), next);
    },
  });
  router.put(
    "/v2.0/subnets/:id",
    reply(async (ctx, req) => {
      const wish = bodyOf(req, "subnet", updateBody);
      return {
        subnet: subnetJson(
          await change(ctx, idOf(req), async (subnet, tx) => {
            const next = edited(subnet, wish);
            if (next.gatewayIp !== undefined && next.gatewayIp !== subnet.gatewayIp)
              await refuseRoutedGateway(tx, subnet);
            return next;
          }),
        ),
      };
    }),
  );
  mountDelete(router, db, { one: "subnet", path: "subnets", get: getSubnet, remove: deleteSubnet });
  mountTags(router, db, {
    path: "subnets",
    get: getSubnet,
    change: async (ctx, id, edit) =>
      (await change(ctx, id, async (subnet) => ({ tags: edit(subnet.tags) }))).tags,
  });
  return router;
}

function planned(
  wish: z.output<typeof createBody>,
  id: string,
  projectId: string,
  network: Network,
  others: readonly string[],
  now: bigint,
): Subnet {
  if (!wish.cidr)
    throw E.BAD_REQUEST({
      resource: "subnets",
      problem: "a subnetpool must be specified in the absence of a cidr, and there are none here",
    });
  const ipVersion = wish.ip_version === 6 ? 6 : 4;
  const enableDhcp = wish.enable_dhcp ?? true;
  const plan = planSubnet(
    { ipVersion, cidr: wish.cidr, gatewayIp: wish.gateway_ip, pools: wish.allocation_pools },
    network.id,
    others,
  );
  checkV6Modes({
    ipVersion,
    cidr: plan.cidr,
    enableDhcp,
    ipv6RaMode: wish.ipv6_ra_mode ?? null,
    ipv6AddressMode: wish.ipv6_address_mode ?? null,
  });
  return {
    ...newStandard(id, projectId, now, wish),
    networkId: network.id,
    ipVersion,
    cidr: plan.cidr,
    gatewayIp: plan.gatewayIp,
    enableDhcp,
    dnsNameservers: checkAddresses(wish.dns_nameservers ?? [], "nameserver"),
    allocationPools: plan.pools,
    hostRoutes: checkRoutes(wish.host_routes ?? []),
    ipv6RaMode: wish.ipv6_ra_mode ?? null,
    ipv6AddressMode: wish.ipv6_address_mode ?? null,
  };
}

function edited(subnet: Subnet, wish: z.output<typeof updateBody>): Partial<Subnet> {
  const cidr = parseCidr(subnet.cidr);
  if (!cidr) throw E.INVALID_INPUT({ problem: `'${subnet.cidr}' is not a valid IP subnet` });
  const gatewayIp = wish.gateway_ip === undefined ? subnet.gatewayIp : planGateway(cidr, wish.gateway_ip);
  const allocationPools =
    wish.allocation_pools === undefined ? subnet.allocationPools : checkPools(cidr, wish.allocation_pools);
  refuseGatewayInPools(gatewayIp, allocationPools);
  checkV6Modes({ ...subnet, enableDhcp: wish.enable_dhcp ?? subnet.enableDhcp });
  return {
    name: wish.name ?? subnet.name,
    description: wish.description ?? subnet.description,
    gatewayIp,
    allocationPools,
    enableDhcp: wish.enable_dhcp ?? subnet.enableDhcp,
    dnsNameservers:
      wish.dns_nameservers === undefined
        ? subnet.dnsNameservers
        : checkAddresses(wish.dns_nameservers, "nameserver"),
    hostRoutes: wish.host_routes === undefined ? subnet.hostRoutes : checkRoutes(wish.host_routes),
  };
}

/** A gateway that a router already has cannot move away under it. @throws GATEWAY_IP_IN_USE */
async function refuseRoutedGateway(tx: Transaction<NetworkTables>, subnet: Subnet): Promise<void> {
  if (subnet.gatewayIp === null) return;
  const held = await tx
    .selectFrom("network_fixed_ip as ip")
    .innerJoin("network_port as port", "port.id", "ip.port_id")
    .select("port.id")
    .where("ip.subnet_id", "=", subnet.id)
    .where("ip.ip_address", "=", subnet.gatewayIp)
    .where("port.device_owner", "like", "network:router%")
    .executeTakeFirst();
  if (held) throw E.GATEWAY_IP_IN_USE({ ip: subnet.gatewayIp, port: held.id });
}
