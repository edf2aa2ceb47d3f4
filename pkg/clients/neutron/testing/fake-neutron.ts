import { randomUUID } from "node:crypto";
import { NeutronErrors } from "../errors.js";
import type {
  FloatingIpInfo,
  NetworkInfo,
  Neutron,
  NetworkQuota,
  PortBindingInfo,
  PortInfo,
  SecurityGroupInfo,
  SubnetInfo,
} from "../ports.js";
import { whenAborted } from "../../../kernel/signals.js";

/**
 * Networks in memory; everybody sees all of them. Ports get addresses of the network's first IPv4 /24 in
 * turn.
 */
export interface FakeNeutron extends Neutron {
  addNetwork(network?: Partial<NetworkInfo>): NetworkInfo;
  /** Also tells its network. */
  addSubnet(subnet: Partial<SubnetInfo> & { readonly networkId: string }): SubnetInfo;
  addPort(port: Partial<PortInfo> & { readonly networkId: string }): PortInfo;
  addSecurityGroup(group?: Partial<SecurityGroupInfo>): SecurityGroupInfo;
  readonly ports: ReadonlyMap<string, PortInfo>;
  readonly aliases: Set<string>;
  readonly floatingIps: FloatingIpInfo[];
  limits: NetworkQuota;
  /** Tells those who wait of a change. */
  changed(): void;
  /** While true, every call throws NETWORK_UNAVAILABLE. */
  down: boolean;
}

export function fakeNeutron(): FakeNeutron {
  const networks = new Map<string, NetworkInfo>();
  const subnets = new Map<string, SubnetInfo>();
  const ports = new Map<string, PortInfo>();
  const groups = new Map<string, SecurityGroupInfo>();
  const bindings = new Map<string, PortBindingInfo[]>();
  let count = 0;
  let mark = 0;
  const wakeUps = new Set<() => void>();
  const up = (): void => {
    if (fake.down) throw NeutronErrors.NETWORK_UNAVAILABLE({});
  };
  const need = <T>(map: ReadonlyMap<string, T>, id: string, missing: (p: { id: string }) => Error): T => {
    up();
    const found = map.get(id);
    if (found === undefined) throw missing({ id });
    return found;
  };
  const has = <T>(wanted: readonly T[] | undefined, value: T): boolean =>
    wanted === undefined || wanted.includes(value);
  const is = <T>(wanted: T | undefined, value: T): boolean => wanted === undefined || wanted === value;

  const fake: FakeNeutron = {
    ports,
    aliases: new Set(["binding-extended", "security-group", "quotas"]),
    floatingIps: [],
    down: false,
    limits: { port: -1, network: -1, floatingIp: -1, securityGroup: -1, securityGroupRule: -1 },
    addNetwork: (network = {}) => {
      const full: NetworkInfo = {
        id: randomUUID(),
        name: "net",
        projectId: "project-id",
        status: "ACTIVE",
        adminStateUp: true,
        shared: false,
        external: false,
        mtu: 1_450,
        portSecurityEnabled: true,
        subnetIds: [],
        networkType: "vxlan",
        physicalNetwork: undefined,
        segmentationId: ++count,
        dnsDomain: "",
        tags: [],
        ...network,
      };
      networks.set(full.id, full);
      return full;
    },
    addSubnet: (subnet) => {
      const full: SubnetInfo = {
        id: randomUUID(),
        name: "subnet",
        projectId: "project-id",
        ipVersion: 4,
        cidr: "10.0.0.0/24",
        gatewayIp: "10.0.0.1",
        enableDhcp: true,
        dnsNameservers: [],
        allocationPools: [],
        hostRoutes: [],
        ipv6AddressMode: undefined,
        ipv6RaMode: undefined,
        segmentId: undefined,
        ...subnet,
      };
      subnets.set(full.id, full);
      const network = networks.get(full.networkId);
      if (network) networks.set(network.id, { ...network, subnetIds: [...network.subnetIds, full.id] });
      return full;
    },
    addPort: (port) => {
      const full: PortInfo = {
        id: randomUUID(),
        name: "",
        projectId: "project-id",
        macAddress: `fa:16:3e:00:${hex(count >> 8)}:${hex(++count)}`,
        adminStateUp: true,
        status: "DOWN",
        deviceId: "",
        deviceOwner: "",
        fixedIps: [],
        securityGroupIds: [],
        allowedAddressPairs: [],
        portSecurityEnabled: true,
        vnicType: "normal",
        bindingHostId: "",
        vifType: "unbound",
        vifDetails: {},
        bindingProfile: {},
        dnsName: "",
        ipAllocation: "immediate",
        resourceRequest: undefined,
        tags: [],
        createdAt: undefined,
        ...port,
      };
      ports.set(full.id, full);
      return full;
    },
    addSecurityGroup: (group = {}) => {
      const full: SecurityGroupInfo = {
        id: randomUUID(),
        name: "default",
        projectId: "project-id",
        description: "",
        rules: [],
        ...group,
      };
      groups.set(full.id, full);
      return full;
    },
    getNetwork: async (_ctx, id) => need(networks, id, NeutronErrors.NETWORK_NOT_FOUND),
    listNetworks: async (_ctx, query = {}) => {
      up();
      return [...networks.values()].filter(
        (n) =>
          has(query.ids, n.id) &&
          is(query.name, n.name) &&
          is(query.projectId, n.projectId) &&
          is(query.shared, n.shared) &&
          is(query.external, n.external),
      );
    },
    listSubnets: async (_ctx, query = {}) => {
      up();
      return [...subnets.values()].filter((s) => has(query.ids, s.id) && has(query.networkIds, s.networkId));
    },
    getPort: async (_ctx, id) => need(ports, id, NeutronErrors.PORT_NOT_FOUND),
    listPorts: async (_ctx, query = {}) => {
      up();
      return [...ports.values()].filter(
        (p) =>
          has(query.ids, p.id) &&
          is(query.name, p.name) &&
          has(query.deviceIds, p.deviceId) &&
          is(query.deviceOwner, p.deviceOwner) &&
          is(query.networkId, p.networkId) &&
          has(query.networkIds, p.networkId) &&
          is(query.projectId, p.projectId) &&
          is(query.hostId, p.bindingHostId) &&
          is(query.macAddress, p.macAddress) &&
          (query.ipAddress === undefined || p.fixedIps.some((ip) => ip.ipAddress === query.ipAddress)) &&
          (query.subnetId === undefined || p.fixedIps.some((ip) => ip.subnetId === query.subnetId)),
      );
    },
    createPort: async (_ctx, wish) => {
      const network = need(networks, wish.networkId, NeutronErrors.NETWORK_NOT_FOUND);
      const used = [...ports.values()].filter((p) => p.projectId === wish.projectId).length;
      if (fake.limits.port >= 0 && used >= fake.limits.port) throw NeutronErrors.PORT_LIMIT_EXCEEDED({});
      const { fixedIps, macAddress, bindingHostId = "", ...rest } = wish;
      const sameMac = (p: PortInfo): boolean =>
        p.networkId === network.id && p.macAddress === macAddress?.toLowerCase();
      if ([...ports.values()].some(sameMac))
        throw NeutronErrors.MAC_IN_USE({ problem: `The mac address ${macAddress} is in use.` });
      return fake.addPort({
        ...rest,
        ...(macAddress === undefined ? {} : { macAddress }),
        securityGroupIds: wish.securityGroupIds ?? [],
        fixedIps: addressesFor(network, fixedIps),
        ...boundTo(bindingHostId),
      });
    },
    updatePort: async (_ctx, id, { fixedIps, bindingHostId, ...change }) => {
      const port = need(ports, id, NeutronErrors.PORT_NOT_FOUND);
      const network = need(networks, port.networkId, NeutronErrors.NETWORK_NOT_FOUND);
      const next: PortInfo = {
        ...port,
        ...change,
        ...(fixedIps ? { fixedIps: addressesFor(network, fixedIps, id) } : {}),
        ...(bindingHostId === undefined ? {} : boundTo(bindingHostId)),
      };
      ports.set(id, next);
      return next;
    },
    deletePort: async (_ctx, id) => {
      up();
      ports.delete(id);
      bindings.delete(id);
    },
    listPortBindings: async (_ctx, id) => {
      const port = need(ports, id, NeutronErrors.PORT_NOT_FOUND);
      const active =
        port.bindingHostId === "" ? [] : [bindingOf(port.bindingHostId, "ACTIVE", port.bindingProfile)];
      return [...active, ...(bindings.get(id) ?? [])];
    },
    createPortBinding: async (_ctx, id, wish) => {
      const port = need(ports, id, NeutronErrors.PORT_NOT_FOUND);
      const others = bindings.get(id) ?? [];
      if (port.bindingHostId === wish.host || others.some((one) => one.host === wish.host))
        throw NeutronErrors.PORT_BINDING_EXISTS({ id });
      const made = bindingOf(wish.host, "INACTIVE", wish.profile ?? {});
      bindings.set(id, [...others, made]);
      return made;
    },
    activatePortBinding: async (_ctx, id, host) => {
      const port = need(ports, id, NeutronErrors.PORT_NOT_FOUND);
      const others = bindings.get(id) ?? [];
      const chosen = others.find((one) => one.host === host);
      if (!chosen) throw NeutronErrors.NOT_FOUND({ id: host });
      const left =
        port.bindingHostId === "" ? [] : [bindingOf(port.bindingHostId, "INACTIVE", port.bindingProfile)];
      bindings.set(id, [...others.filter((one) => one !== chosen), ...left]);
      ports.set(id, { ...port, ...boundTo(host), bindingProfile: chosen.profile });
    },
    deletePortBinding: async (_ctx, id, host) => {
      up();
      bindings.set(
        id,
        (bindings.get(id) ?? []).filter((one) => one.host !== host),
      );
    },
    listSecurityGroups: async (_ctx, query = {}) => {
      up();
      return [...groups.values()].filter(
        (g) => has(query.ids, g.id) && is(query.name, g.name) && is(query.projectId, g.projectId),
      );
    },
    getSecurityGroup: async (_ctx, id) => need(groups, id, NeutronErrors.SECURITY_GROUP_NOT_FOUND),
    listFloatingIps: async (_ctx, query) => {
      up();
      return fake.floatingIps.filter(
        (ip) =>
          (query.portIds === undefined || (ip.portId !== undefined && query.portIds.includes(ip.portId))) &&
          is(query.projectId, ip.projectId) &&
          is(query.address, ip.floatingIpAddress),
      );
    },
    updateFloatingIp: async (_ctx, id, to) => {
      up();
      const at = fake.floatingIps.findIndex((ip) => ip.id === id);
      const before = fake.floatingIps[at];
      if (before === undefined) throw NeutronErrors.FLOATING_IP_NOT_FOUND({ id });
      const taken = fake.floatingIps.some(
        (ip) => ip.id !== id && to !== undefined && ip.fixedIpAddress === to.fixedIpAddress,
      );
      if (taken) throw NeutronErrors.NETWORK_CONFLICT({ problem: "another one leads there" });
      const after = { ...before, portId: to?.portId, fixedIpAddress: to?.fixedIpAddress };
      fake.floatingIps[at] = after;
      return after;
    },
    extensions: async () => {
      up();
      return fake.aliases;
    },
    quota: async () => {
      up();
      return fake.limits;
    },
    changed: () => {
      mark += 1;
      for (const wake of [...wakeUps]) wake();
    },
    awaitChange: async (ctx, since) => {
      up();
      if (since === `${mark}`) {
        await new Promise<void>((resolve, reject) => {
          wakeUps.add(resolve);
          whenAborted(ctx.signal, () => reject(ctx.signal.reason as Error));
        });
        wakeUps.clear();
        up();
      }
      return `${mark}`;
    },
  };

  const addressesFor = (
    network: NetworkInfo,
    wishes: readonly { readonly subnetId?: string; readonly ipAddress?: string }[] | undefined,
    self = "",
  ): PortInfo["fixedIps"] => {
    const first = network.subnetIds[0];
    if (first === undefined) return [];
    return (wishes ?? [{}]).map((wish) => {
      const subnet = subnets.get(wish.subnetId ?? first);
      const ipAddress =
        wish.ipAddress ?? `${subnet?.cidr.split(".").slice(0, 3).join(".") ?? "10.0.0"}.${10 + ports.size}`;
      if (
        [...ports.values()].some(
          (port) =>
            port.id !== self &&
            port.networkId === network.id &&
            port.fixedIps.some((ip) => ip.ipAddress === ipAddress),
        )
      ) {
        throw NeutronErrors.FIXED_IP_IN_USE({
          problem: `IP address ${ipAddress} already allocated in subnet ${subnet?.id ?? ""}`,
        });
      }
      return { subnetId: subnet?.id ?? first, ipAddress };
    });
  };
  return fake;
}

const hex = (value: number): string => (value & 0xff).toString(16).padStart(2, "0");

const boundTo = (host: string): Pick<PortInfo, "bindingHostId" | "vifType" | "status"> => ({
  bindingHostId: host,
  vifType: host === "" ? "unbound" : "kilonova",
  status: host === "" ? "DOWN" : "ACTIVE",
});

const bindingOf = (
  host: string,
  status: PortBindingInfo["status"],
  profile: PortBindingInfo["profile"],
): PortBindingInfo => ({ host, status, vifType: "kilonova", vifDetails: {}, vnicType: "normal", profile });
