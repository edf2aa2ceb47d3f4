/** Everything the switch knows about one port of a guest. Setting a port again replaces all of it. */
export interface PortConfig {
  readonly portId: string;
  /** The guest behind the port: who asks when a metadata request comes in by it. */
  readonly instanceUuid: string;
  readonly networkId: string;
  /** Names the network on the wire between hosts; 1..16777215, the same on every host. */
  readonly vni: number;
  readonly macAddress: string;
  /** Bytes of the largest IP packet. */
  readonly mtu: number;
  /** Given out by DHCP; host part only. */
  readonly hostname: string;
  /** DNS domain given out by DHCP; none when absent. */
  readonly domain?: string;
  readonly fixedIps: readonly FixedIp[];
  /** Further addresses that the guest may send from (Neutron's allowed address pairs). */
  readonly allowedAddressPairs?: readonly AddressPair[];
  /** false switches off both anti-spoofing and security groups for this port. */
  readonly portSecurity: boolean;
  /** Groups the port belongs to: rules of other ports may admit its members. */
  readonly securityGroupIds: readonly string[];
  /**
   * The rules of all its groups together. None at all lets only DHCP, metadata and neighbour discovery
   * through.
   */
  readonly securityRules: readonly SecurityRule[];
  /** false cuts the port off without removing it; default true. */
  readonly adminStateUp?: boolean;
  /** Unix socket on which QEMU listens (`-netdev stream,server=on`); need not exist yet. */
  readonly socketPath: string;
}

/** An address of the port with the facts of its subnet that a guest is told. */
export interface FixedIp {
  readonly ip: string;
  readonly prefixLength: number;
  readonly gateway?: string;
  readonly dns: readonly string[];
  /** Host routes; `destination` in CIDR form. */
  readonly routes: readonly { readonly destination: string; readonly nextHop: string }[];
  /** Whether the subnet has DHCP switched on. */
  readonly dhcp: boolean;
  /** IPv6 only: how router advertisements tell guests to get their address; none are sent when absent. */
  readonly ipv6Mode?: "slaac" | "dhcpv6-stateful" | "dhcpv6-stateless";
}

export interface AddressPair {
  /** An address, or a network in CIDR form. */
  readonly ip: string;
  /** The port's own address when absent. */
  readonly macAddress?: string;
}

/** One Neutron security group rule. An absent field matches everything. Rules only ever allow. */
export interface SecurityRule {
  readonly direction: "ingress" | "egress";
  readonly ethertype: "IPv4" | "IPv6";
  /** IP protocol number. */
  readonly protocol?: number;
  /** Destination port, or ICMP type. */
  readonly portRangeMin?: number;
  /** Last destination port, or ICMP code. */
  readonly portRangeMax?: number;
  readonly remoteCidr?: string;
  readonly remoteGroupId?: string;
}

/**
 * Addresses of a security group's members (networks among them in CIDR form), wherever they run. Ports on
 * this switch count by themselves.
 */
export interface GroupMembers {
  readonly groupId: string;
  readonly addresses: readonly string[];
}

/** Another host's switch. */
export interface PeerConfig {
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

/**
 * What Neutron puts into a project's default group: everything out, and in what comes from the same group.
 */
export const defaultGroupRules = (groupId: string): readonly SecurityRule[] =>
  (["IPv4", "IPv6"] as const).flatMap((ethertype) => [
    { direction: "egress", ethertype } as const,
    { direction: "ingress", ethertype, remoteGroupId: groupId } as const,
  ]);
