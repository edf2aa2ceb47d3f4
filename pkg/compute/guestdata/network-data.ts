import type { GuestNetwork, GuestSubnet, JsonObject, JsonValue } from "./guest-data.js";
import { ipv4Netmask, ipv6Netmask, splitCidr } from "./netmask.js";

/**
 * Vif types that guests have always been shown by name; every other one reads `phy`. @source nova network
 * metadata
 */
const namedVifTypes = new Set([
  "bridge",
  "ovs",
  "dvs",
  "tap",
  "vhostuser",
  "vif",
  "hw_veb",
  "hyperv",
  "hostdev_physical",
  "ib_hostdev",
  "iovisor",
  "macvtap",
  "midonet",
  "mlnx_direct",
  "other",
  "vrouter",
  "ivs",
  "binding_failed",
]);

/**
 * The network_data.json document: links with subnets, the first v4 and the first v6 network of each, and the
 * name servers. A default route is the first of `routes`; there is no key for it.
 */
export function networkData(networks: readonly GuestNetwork[]): JsonObject {
  const nets: JsonValue[] = [];
  const services = new Map<string, JsonValue>();
  const linked = networks.filter((nic) => nic.subnets.length > 0);
  for (const nic of linked) {
    for (const version of [4, 6] as const) {
      const subnet = nic.subnets.find((s) => s.version === version);
      if (subnet === undefined) continue;
      nets.push(network(`network${nets.length}`, nic, subnet));
      for (const address of subnet.dns) services.set(address, { type: "dns", address });
    }
  }
  return { links: linked.map(link), networks: nets, services: [...services.values()] };
}

const linkId = (nic: GuestNetwork): string => nic.deviceName ?? `tap${nic.portId.slice(0, 11)}`;

function link(nic: GuestNetwork): JsonValue {
  const type = nic.vifType !== undefined && namedVifTypes.has(nic.vifType) ? nic.vifType : "phy";
  // A guest that asks DHCP learns the MTU there.
  const mtu = nic.subnets.some((s) => s.dhcp) ? null : (nic.mtu ?? null);
  return { id: linkId(nic), vif_id: nic.portId, type, mtu, ethernet_mac_address: nic.mac };
}

function network(id: string, nic: GuestNetwork, subnet: GuestSubnet): JsonValue {
  const base = { id, link: linkId(nic), network_id: nic.networkId };
  if (subnet.version === 6 && subnet.ipv6AddressMode !== undefined)
    return { ...base, type: `ipv6_${subnet.ipv6AddressMode}`, ...addressOf(subnet) };
  if (subnet.dhcp) return { ...base, type: `ipv${subnet.version}_dhcp` };
  return { ...base, type: `ipv${subnet.version}`, ...addressOf(subnet) };
}

function addressOf(subnet: GuestSubnet): Record<string, JsonValue> {
  const mask = subnet.version === 4 ? ipv4Netmask : ipv6Netmask;
  const any = subnet.version === 4 ? "0.0.0.0" : "::";
  const routes: JsonValue[] =
    subnet.gateway === undefined ? [] : [{ network: any, netmask: any, gateway: subnet.gateway }];
  for (const route of subnet.routes) {
    const { address, prefix } = splitCidr(route.destination);
    routes.push({ network: address, netmask: mask(prefix), gateway: route.nextHop });
  }
  return {
    ip_address: subnet.ip,
    netmask: mask(subnet.prefix),
    routes,
    services: subnet.dns.map((address) => ({ type: "dns", address })),
  };
}
