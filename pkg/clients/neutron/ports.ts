import type { Ctx, Instant } from "../../kernel/index.js";

/** A network. `segmentationId` and its kin are undefined unless asked with the service's own rights. */
export interface NetworkInfo {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly status: string;
  readonly adminStateUp: boolean;
  readonly shared: boolean;
  readonly external: boolean;
  /** Bytes. */
  readonly mtu: number;
  readonly portSecurityEnabled: boolean;
  readonly subnetIds: readonly string[];
  readonly networkType: string | undefined;
  readonly physicalNetwork: string | undefined;
  /** VNI or VLAN id: unique per network of the same type. */
  readonly segmentationId: number | undefined;
  readonly dnsDomain: string;
  readonly tags: readonly string[];
}

export interface AddressRange {
  readonly start: string;
  readonly end: string;
}
export interface HostRoute {
  readonly destination: string;
  readonly nexthop: string;
}

export interface SubnetInfo {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  readonly projectId: string;
  readonly ipVersion: 4 | 6;
  readonly cidr: string;
  readonly gatewayIp: string | undefined;
  readonly enableDhcp: boolean;
  readonly dnsNameservers: readonly string[];
  readonly allocationPools: readonly AddressRange[];
  readonly hostRoutes: readonly HostRoute[];
  readonly ipv6AddressMode: string | undefined;
  readonly ipv6RaMode: string | undefined;
  readonly segmentId: string | undefined;
}

export interface FixedIp {
  readonly subnetId: string;
  readonly ipAddress: string;
}
export interface AddressPair {
  readonly ipAddress: string;
  readonly macAddress: string | undefined;
}

/** A port. The `binding*` fields but `vnicType` are empty unless asked with the service's own rights. */
export interface PortInfo {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  readonly projectId: string;
  readonly macAddress: string;
  readonly adminStateUp: boolean;
  /** DOWN, ACTIVE, BUILD, ERROR; ACTIVE once bound and plugged. */
  readonly status: string;
  readonly deviceId: string;
  readonly deviceOwner: string;
  readonly fixedIps: readonly FixedIp[];
  readonly securityGroupIds: readonly string[];
  readonly allowedAddressPairs: readonly AddressPair[];
  readonly portSecurityEnabled: boolean;
  readonly vnicType: string;
  readonly bindingHostId: string;
  /** `unbound` before a host is set; `binding_failed` when no mechanism could. */
  readonly vifType: string;
  readonly vifDetails: Readonly<Record<string, unknown>>;
  readonly bindingProfile: Readonly<Record<string, unknown>>;
  readonly dnsName: string;
  /** `immediate`, `deferred` or `none`. */
  readonly ipAllocation: string;
  /** Placement resources a QoS policy asks for, as Neutron gives it; undefined without one. */
  readonly resourceRequest: Readonly<Record<string, unknown>> | undefined;
  readonly tags: readonly string[];
  readonly createdAt: Instant | undefined;
}

export interface SecurityGroupRuleInfo {
  readonly id: string;
  readonly securityGroupId: string;
  readonly direction: "ingress" | "egress";
  readonly ethertype: "IPv4" | "IPv6";
  /** A name (`tcp`), a number as text, or undefined for any. */
  readonly protocol: string | undefined;
  readonly portRangeMin: number | undefined;
  readonly portRangeMax: number | undefined;
  readonly remoteIpPrefix: string | undefined;
  readonly remoteGroupId: string | undefined;
  /** Neutron's address groups; nothing here reads them. */
  readonly remoteAddressGroupId?: string;
  readonly description: string;
}

export interface SecurityGroupInfo {
  readonly id: string;
  readonly name: string;
  readonly projectId: string;
  readonly description: string;
  readonly rules: readonly SecurityGroupRuleInfo[];
}

export interface FloatingIpInfo {
  readonly id: string;
  readonly projectId: string;
  readonly floatingIpAddress: string;
  readonly fixedIpAddress: string | undefined;
  readonly portId: string | undefined;
  readonly status: string;
}

/** Another host's binding of a port during a move (extension `binding-extended`). */
export interface PortBindingInfo {
  readonly host: string;
  readonly status: "ACTIVE" | "INACTIVE";
  readonly vifType: string;
  readonly vifDetails: Readonly<Record<string, unknown>>;
  readonly vnicType: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

/**
 * Whose rights a call uses: the given user's token, else the service's own (an admin: name the project
 * yourself).
 */
export interface NetworkCaller {
  readonly userToken?: string;
}

export interface NetworkQuery {
  readonly ids?: readonly string[];
  readonly name?: string;
  readonly projectId?: string;
  readonly shared?: boolean;
  readonly external?: boolean;
}
export interface SubnetQuery {
  readonly ids?: readonly string[];
  readonly networkIds?: readonly string[];
  readonly advancedServiceProviders?: readonly string[];
}
export interface PortQuery {
  readonly ids?: readonly string[];
  readonly name?: string;
  readonly deviceIds?: readonly string[];
  readonly deviceOwner?: string;
  readonly networkId?: string;
  /** Wins over `networkId`. */
  readonly networkIds?: readonly string[];
  readonly projectId?: string;
  readonly hostId?: string;
  readonly macAddress?: string;
  readonly ipAddress?: string;
  readonly subnetId?: string;
}
export interface SecurityGroupQuery {
  readonly ids?: readonly string[];
  readonly name?: string;
  readonly projectId?: string;
}

export interface FloatingIpQuery {
  readonly portIds?: readonly string[];
  readonly projectId?: string;
  readonly address?: string;
}
/** What a floating IP leads to. */
export interface FloatingIpTarget {
  readonly portId: string;
  readonly fixedIpAddress: string;
}

/** A port's address wish: a subnet, an address, or both. */
export interface FixedIpRequest {
  readonly subnetId?: string;
  readonly ipAddress?: string;
}

/**
 * A new port. Neutron cannot be fenced, so each port gets a `name` of the caller's making (it contains the
 * operation's id) and the server's id: after a lost answer or an undo, `listPorts({ deviceIds, name })` finds
 * what was made.
 */
export interface CreatePort {
  readonly name: string;
  readonly networkId: string;
  readonly projectId: string;
  readonly deviceId: string;
  readonly deviceOwner?: string;
  readonly macAddress?: string;
  readonly fixedIps?: readonly FixedIpRequest[];
  readonly securityGroupIds?: readonly string[];
  readonly bindingHostId?: string;
  readonly bindingProfile?: Readonly<Record<string, unknown>>;
  readonly vnicType?: string;
  readonly dnsName?: string;
  readonly description?: string;
}

/** Absent fields stay as they are; `bindingProfile` is replaced as a whole; `bindingHostId: ""` unbinds. */
export interface UpdatePort {
  readonly name?: string;
  readonly deviceId?: string;
  readonly deviceOwner?: string;
  readonly adminStateUp?: boolean;
  readonly macAddress?: string;
  readonly fixedIps?: readonly FixedIpRequest[];
  readonly securityGroupIds?: readonly string[];
  readonly bindingHostId?: string;
  readonly bindingProfile?: Readonly<Record<string, unknown>>;
  readonly vnicType?: string;
  readonly dnsName?: string;
}

/** Limits of a project; -1 is unlimited. */
export interface NetworkQuota {
  readonly port: number;
  readonly network: number;
  readonly floatingIp: number;
  readonly securityGroup: number;
  readonly securityGroupRule: number;
}

/**
 * Alias of the extension by which the embedded Network service tells of changes; Neutron has no such thing.
 */
export const changesExtension = "kilonova-changes";

/** What Kilonova asks of the Network service. Reads are repeated on transient failures, writes never. */
export interface Neutron {
  /** @throws NETWORK_NOT_FOUND */
  getNetwork(ctx: Ctx, id: string, caller?: NetworkCaller): Promise<NetworkInfo>;
  listNetworks(ctx: Ctx, query?: NetworkQuery, caller?: NetworkCaller): Promise<readonly NetworkInfo[]>;
  listSubnets(ctx: Ctx, query?: SubnetQuery, caller?: NetworkCaller): Promise<readonly SubnetInfo[]>;
  /** @throws PORT_NOT_FOUND */
  getPort(ctx: Ctx, id: string, caller?: NetworkCaller): Promise<PortInfo>;
  listPorts(ctx: Ctx, query?: PortQuery, caller?: NetworkCaller): Promise<readonly PortInfo[]>;
  /**
   * @throws NETWORK_NOT_FOUND, NO_MORE_FIXED_IPS, FIXED_IP_IN_USE, MAC_IN_USE, PORT_LIMIT_EXCEEDED (quota),
   *   INVALID_FIXED_IP, SECURITY_GROUP_NOT_FOUND
   */
  createPort(ctx: Ctx, port: CreatePort, caller?: NetworkCaller): Promise<PortInfo>;
  /** @throws PORT_NOT_FOUND, PORT_BINDING_FAILED and the address errors of `createPort` */
  updatePort(ctx: Ctx, id: string, change: UpdatePort, caller?: NetworkCaller): Promise<PortInfo>;
  /** Repeatable: a port that is gone counts as deleted. */
  deletePort(ctx: Ctx, id: string, caller?: NetworkCaller): Promise<void>;
  listPortBindings(ctx: Ctx, portId: string): Promise<readonly PortBindingInfo[]>;
  /** @throws PORT_BINDING_EXISTS when that host has one already */
  createPortBinding(
    ctx: Ctx,
    portId: string,
    binding: {
      readonly host: string;
      readonly vnicType?: string;
      readonly profile?: Readonly<Record<string, unknown>>;
    },
  ): Promise<PortBindingInfo>;
  activatePortBinding(ctx: Ctx, portId: string, host: string): Promise<void>;
  /** Repeatable. */
  deletePortBinding(ctx: Ctx, portId: string, host: string): Promise<void>;
  listSecurityGroups(
    ctx: Ctx,
    query?: SecurityGroupQuery,
    caller?: NetworkCaller,
  ): Promise<readonly SecurityGroupInfo[]>;
  /** With its rules. @throws SECURITY_GROUP_NOT_FOUND */
  getSecurityGroup(ctx: Ctx, id: string, caller?: NetworkCaller): Promise<SecurityGroupInfo>;
  listFloatingIps(
    ctx: Ctx,
    query: FloatingIpQuery,
    caller?: NetworkCaller,
  ): Promise<readonly FloatingIpInfo[]>;
  /**
   * Leads it to an address of a port, or nowhere. Repeatable.
   * @throws FLOATING_IP_NOT_FOUND, PORT_NOT_FOUND; NETWORK_CONFLICT when another one leads there,
   *   NETWORK_INVALID, NOT_FOUND without a router in between
   */
  updateFloatingIp(ctx: Ctx, id: string, to: FloatingIpTarget | undefined): Promise<FloatingIpInfo>;
  /** Aliases of the service's extensions; cached for 600 s. */
  extensions(ctx: Ctx): Promise<ReadonlySet<string>>;
  quota(ctx: Ctx, projectId: string): Promise<NetworkQuota>;
  /**
   * Waits until a port, a security group or a rule may have changed; needs the extension `changesExtension`.
   * @param since   mark of an earlier call: another than the present one is answered at once, `undefined` too
   * @param waitMs  0..30,000
   * @returns the present mark, which equals `since` when nothing happened for so long
   */
  awaitChange(ctx: Ctx, since: string | undefined, waitMs: number): Promise<string>;
}
