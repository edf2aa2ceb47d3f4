import type { InstancePort, PortAddress } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { FloatingIpInfo, NetworkInfo, PortInfo, SubnetInfo } from "../../clients/neutron/ports.js";

/** A network with its subnets, as ports need it. */
export interface NetworkFacts {
  readonly network: NetworkInfo;
  readonly subnets: readonly SubnetInfo[];
}

/** Name of a port that an operation makes: by it the port is found again, whatever became of the answer. */
export const portName = (operationId: string, index: number): string => `kilonova-${operationId}-${index}`;

/** Whether an operation has made this port. */
export const isMadeBy = (port: Pick<PortInfo, "name">, operationId: string): boolean =>
  port.name.startsWith(`kilonova-${operationId}-`);

function addressOf(
  ipAddress: string,
  subnet: SubnetInfo | undefined,
  subnetId: string,
): Omit<PortAddress, "floatingIps"> {
  const prefix = Number(subnet?.cidr.split("/")[1] ?? (ipAddress.includes(":") ? 64 : 24));
  return {
    ipAddress,
    subnetId,
    prefixLength: prefix,
    gatewayIp: subnet?.gatewayIp ?? "",
    dnsServers: [...(subnet?.dnsNameservers ?? [])],
    dhcpEnabled: subnet?.enableDhcp ?? false,
    version: ipAddress.includes(":") ? 6 : 4,
    ipv6AddressMode: subnet?.ipv6AddressMode ?? "",
    hostRoutes: (subnet?.hostRoutes ?? []).map(({ destination, nexthop }) => ({ destination, nexthop })),
  };
}

/**
 * What a host needs to know of a port. Rules of its groups are read by the host itself, which follows their
 * changes.
 * @param floatingIps  of any ports
 */
export function instancePort(
  port: PortInfo,
  { network, subnets }: NetworkFacts,
  extra: { readonly createdByUs: boolean; readonly tag: string; readonly vifModel: string },
  floatingIps: readonly FloatingIpInfo[] = [],
): InstancePort {
  const leadingTo = (ipAddress: string): string[] =>
    floatingIps
      .filter(({ portId, fixedIpAddress }) => portId === port.id && fixedIpAddress === ipAddress)
      .map(({ floatingIpAddress }) => floatingIpAddress)
      .sort();
  return {
    portId: port.id,
    networkId: port.networkId,
    networkLabel: network.name,
    macAddress: port.macAddress,
    mtu: network.mtu,
    segmentationId: network.segmentationId ?? 0,
    addresses: port.fixedIps.map(({ ipAddress, subnetId }) => ({
      ...addressOf(
        ipAddress,
        subnets.find(({ id }) => id === subnetId),
        subnetId,
      ),
      floatingIps: leadingTo(ipAddress),
    })),
    portSecurity: port.portSecurityEnabled,
    securityGroupIds: [...port.securityGroupIds],
    createdByUs: extra.createdByUs,
    tag: extra.tag,
    vifModel: extra.vifModel,
    vifType: port.vifType,
  };
}
