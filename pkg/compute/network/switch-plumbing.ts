import type { InstancePort, InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import type { Neutron } from "../../clients/neutron/ports.js";
import type { Ctx } from "../../kernel/index.js";
import type { LostPort, Plumbing } from "../agent/ports.js";
import type { GroupMembers, PortConfig, SecurityRule, Switch } from "../switch/index.js";
import { readPolicies, readSecurity } from "./security-groups.js";
import type { PortPolicy } from "./security-groups.js";

const DEFAULT_MTU = 1450;

interface Plugged {
  readonly port: InstancePort;
  readonly serverId: string;
  readonly hostname: string;
  readonly socketPath: string;
}

/**
 * Connects guests to the host's switch and keeps their ports' policy and security groups as the Network
 * service has them. What that service says is what holds: a port that it no longer has, or gave to another
 * server, is off the switch and nothing passes. While it cannot be asked, the last that it said goes on.
 */
export class SwitchPlumbing implements Plumbing {
  readonly #switch: Switch;
  readonly #neutron: Neutron;
  readonly #domain: string;
  readonly #ports = new Map<string, Plugged>();
  #rules: ReadonlyMap<string, readonly SecurityRule[]> = new Map();
  readonly #policies = new Map<string, PortPolicy>();
  readonly #configs = new Map<string, string>();
  #groups = "";
  #onLost = (_lost: LostPort): void => {};

  constructor(deps: { readonly switch: Switch; readonly neutron: Neutron; readonly domain: string }) {
    this.#switch = deps.switch;
    this.#neutron = deps.neutron;
    this.#domain = deps.domain;
  }

  /** Calls back for each port that is found lost, at each time of asking. */
  onLost(listener: (lost: LostPort) => void): void {
    this.#onLost = listener;
  }

  async plug(ctx: Ctx, instance: InstanceRecord, socketPathOf: (portId: string) => string): Promise<void> {
    const server = instance.server;
    if (!server) return;
    for (const port of instance.ports) {
      this.#ports.set(port.portId, {
        port,
        serverId: server.id,
        hostname: server.hostname,
        socketPath: socketPathOf(port.portId),
      });
    }
    // Known ones are kept up to date by `refresh`.
    await this.#readPolicies(
      ctx,
      instance.ports.map((p) => p.portId).filter((id) => !this.#policies.has(id)),
    );
    const groups = instance.ports.flatMap((p) => this.#policies.get(p.portId)?.securityGroupIds ?? []);
    if (groups.some((id) => !this.#rules.has(id))) await this.refresh(ctx);
    for (const port of instance.ports) await this.#set(port.portId);
  }

  async unplug(_ctx: Ctx, ports: readonly InstancePort[], serverId: string): Promise<void> {
    const ids =
      ports.length > 0
        ? ports.map((p) => p.portId)
        : [...this.#ports].filter(([, p]) => p.serverId === serverId).map(([id]) => id);
    for (const id of ids) {
      this.#ports.delete(id);
      this.#configs.delete(id);
      this.#policies.delete(id);
      await this.#switch.removePort(id);
    }
  }

  async stats(_ctx: Ctx, serverId: string): ReturnType<Plumbing["stats"]> {
    const { ports } = await this.#switch.stats();
    return ports
      .filter((p) => p.instanceUuid === serverId)
      .map((p) => ({
        portId: p.portId,
        rxBytes: p.rxBytes,
        txBytes: p.txBytes,
        rxPackets: p.rxPackets,
        txPackets: p.txPackets,
        rxDrops: p.rxDrops,
        txDrops: p.txDrops,
      }));
  }

  /**
   * Reads the ports' policies, and rules and members of all groups in use, again and applies what changed:
   * nothing is told to the switch twice. @cost three requests, none without ports
   */
  async refresh(ctx: Ctx): Promise<void> {
    await this.#readPolicies(ctx, [...this.#ports.keys()]);
    const groups = [...new Set([...this.#policies.values()].flatMap((policy) => policy.securityGroupIds))];
    const picture = await readSecurity(ctx, this.#neutron, groups);
    this.#rules = picture.rulesOf;
    await this.#setGroups([...picture.membersOf].map(([groupId, addresses]) => ({ groupId, addresses })));
    for (const id of this.#ports.keys()) if (this.#configs.has(id)) await this.#set(id);
  }

  async close(): Promise<void> {
    await this.#switch.close();
  }

  /** Tells the switch who is in the groups unless it knows exactly that already. */
  async #setGroups(groups: readonly GroupMembers[]): Promise<void> {
    const text = JSON.stringify(groups);
    if (this.#groups === text) return;
    await this.#switch.setGroups(groups);
    this.#groups = text;
  }

  /** Tells the switch about a port unless it knows exactly that already. */
  async #set(portId: string): Promise<void> {
    const plugged = this.#ports.get(portId);
    if (!plugged) return;
    const policy = this.#policies.get(portId);
    if (policy === undefined) return; // lost while the rest was read
    const config = this.#configOf(plugged, policy);
    const text = JSON.stringify(config);
    if (this.#configs.get(portId) === text) return;
    await this.#switch.setPort(config);
    this.#configs.set(portId, text);
  }

  async #readPolicies(ctx: Ctx, portIds: readonly string[]): Promise<void> {
    const found = await readPolicies(ctx, this.#neutron, portIds);
    for (const id of portIds) {
      const plugged = this.#ports.get(id);
      if (plugged === undefined) continue; // unplugged meanwhile
      const policy = found.get(id);
      if (policy !== undefined && ["", plugged.serverId].includes(policy.deviceId))
        this.#policies.set(id, policy);
      else await this.#lose(id, plugged.serverId);
    }
  }

  /** Nothing passes any more, whatever the record still says. */
  async #lose(portId: string, serverId: string): Promise<void> {
    this.#ports.delete(portId);
    this.#configs.delete(portId);
    this.#policies.delete(portId);
    await this.#switch.removePort(portId);
    this.#onLost({ serverId, portId });
  }

  #configOf(
    { port, serverId, hostname, socketPath }: Plugged,
    { deviceId: _whose, ...policy }: PortPolicy,
  ): PortConfig {
    return {
      ...policy,
      portId: port.portId,
      instanceUuid: serverId,
      networkId: port.networkId,
      vni: port.segmentationId,
      macAddress: port.macAddress,
      mtu: port.mtu || DEFAULT_MTU,
      hostname,
      ...(this.#domain ? { domain: this.#domain } : {}),
      socketPath,
      securityRules: policy.securityGroupIds.flatMap((id) => this.#rules.get(id) ?? []),
      fixedIps: port.addresses.map((a) => ({
        ip: a.ipAddress,
        prefixLength: a.prefixLength,
        ...(a.gatewayIp ? { gateway: a.gatewayIp } : {}),
        dns: a.dnsServers,
        routes: a.hostRoutes.map((r) => ({ destination: r.destination, nextHop: r.nexthop })),
        dhcp: a.dhcpEnabled,
        ...(isIpv6Mode(a.ipv6AddressMode) ? { ipv6Mode: a.ipv6AddressMode } : {}),
      })),
    };
  }
}

const IPV6_MODES = ["slaac", "dhcpv6-stateful", "dhcpv6-stateless"] as const;
const isIpv6Mode = (text: string): text is (typeof IPV6_MODES)[number] =>
  IPV6_MODES.some((mode) => mode === text);
