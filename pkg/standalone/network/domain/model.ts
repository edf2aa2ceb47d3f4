import type { Instant } from "../../../kernel/index.js";

/** What all resources have. */
export interface Standard {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly projectId: string;
  readonly tags: readonly string[];
  /** Grows with each change. */
  readonly revision: number;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

/** What all resources have when they are made. @param wish  what the caller says of it */
export const newStandard = (
  id: string,
  projectId: string,
  now: Instant,
  wish: { readonly name?: string | undefined; readonly description?: string | undefined } = {},
): Standard => ({
  id,
  name: wish.name ?? "",
  description: wish.description ?? "",
  projectId,
  tags: [],
  revision: 1,
  createdAt: now,
  updatedAt: now,
});

export interface Network extends Standard {
  readonly adminStateUp: boolean;
  readonly shared: boolean;
  readonly external: boolean;
  readonly isDefault: boolean;
  /** Bytes. */
  readonly mtu: number;
  readonly portSecurityEnabled: boolean;
  readonly dnsDomain: string;
  readonly networkType: string;
  readonly physicalNetwork: string | null;
  readonly segmentationId: number | null;
  readonly subnetIds: readonly string[];
}

export interface AddressPool {
  readonly start: string;
  readonly end: string;
}
export interface HostRoute {
  readonly destination: string;
  readonly nexthop: string;
}

export interface Subnet extends Standard {
  readonly networkId: string;
  readonly ipVersion: 4 | 6;
  readonly cidr: string;
  readonly gatewayIp: string | null;
  readonly enableDhcp: boolean;
  readonly dnsNameservers: readonly string[];
  readonly allocationPools: readonly AddressPool[];
  readonly hostRoutes: readonly HostRoute[];
  readonly ipv6RaMode: string | null;
  readonly ipv6AddressMode: string | null;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly ipAddress: string;
}
export interface AddressPair {
  readonly ip_address: string;
  readonly mac_address?: string;
}
export interface DhcpOption {
  readonly opt_name: string;
  readonly opt_value: string | null;
  readonly ip_version: 4 | 6;
}

export interface Port extends Standard {
  readonly networkId: string;
  readonly macAddress: string;
  readonly adminStateUp: boolean;
  readonly status: "DOWN" | "ACTIVE" | "BUILD" | "ERROR";
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly portSecurityEnabled: boolean;
  readonly allowedAddressPairs: readonly AddressPair[];
  readonly extraDhcpOpts: readonly DhcpOption[];
  readonly dnsName: string;
  /** "" until bound. */
  readonly hostId: string;
  readonly vnicType: string;
  readonly bindingProfile: Readonly<Record<string, unknown>>;
  readonly fixedIps: readonly FixedIp[];
  readonly securityGroupIds: readonly string[];
}

/** A binding of a port to a further host, while it moves there. */
export interface InactiveBinding {
  readonly portId: string;
  readonly host: string;
  readonly vnicType: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

export interface SecurityGroupRule {
  readonly id: string;
  readonly securityGroupId: string;
  readonly projectId: string;
  readonly description: string;
  readonly direction: "ingress" | "egress";
  readonly ethertype: "IPv4" | "IPv6";
  readonly protocol: string | null;
  readonly portRangeMin: number | null;
  readonly portRangeMax: number | null;
  readonly remoteIpPrefix: string | null;
  readonly remoteGroupId: string | null;
  readonly createdAt: Instant;
}

export interface SecurityGroup extends Standard {
  /** Whether it is its project's default group, made by the service. */
  readonly isDefault: boolean;
  readonly rules: readonly SecurityGroupRule[];
}

export interface Router extends Standard {
  readonly adminStateUp: boolean;
  readonly routes: readonly HostRoute[];
  readonly gateway: {
    readonly networkId: string;
    readonly portId: string;
    readonly enableSnat: boolean;
    readonly fixedIps: readonly FixedIp[];
  } | null;
}

export interface FloatingIp extends Standard {
  readonly networkId: string;
  readonly ipAddress: string;
  readonly portId: string | null;
  readonly fixedIpAddress: string | null;
  readonly routerId: string | null;
  /** What the port that it leads to looks like. */
  readonly portDetails: Pick<
    Port,
    "name" | "networkId" | "macAddress" | "adminStateUp" | "status" | "deviceId" | "deviceOwner"
  > | null;
}
