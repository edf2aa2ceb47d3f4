import type { Ctx } from "../../kernel/index.js";
import type { Neutron, PortInfo, SecurityGroupInfo } from "../../clients/neutron/ports.js";
import type { AddressPair, SecurityRule } from "../switch/index.js";
import { ipProtocols } from "../../model/ip-protocols.js";

/** What the Network service's users may change about a port while its guest runs. */
export interface PortPolicy {
  /** Whose it is: a server's id, or "". */
  readonly deviceId: string;
  readonly adminStateUp: boolean;
  readonly portSecurity: boolean;
  readonly securityGroupIds: readonly string[];
  readonly allowedAddressPairs: readonly AddressPair[];
}

/**
 * What the switch must know of the groups in use: their rules, and the addresses (networks among them in CIDR
 * form) of all their members on any host.
 */
export interface SecurityPicture {
  readonly rulesOf: ReadonlyMap<string, readonly SecurityRule[]>;
  readonly membersOf: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads what now holds for ports; one that the Network service does not know is left out. @cost one request,
 * none without ports
 */
export async function readPolicies(
  ctx: Ctx,
  neutron: Neutron,
  portIds: readonly string[],
): Promise<ReadonlyMap<string, PortPolicy>> {
  if (portIds.length === 0) return new Map();
  const ports = await neutron.listPorts(ctx, { ids: portIds });
  return new Map(
    ports.map((port) => [
      port.id,
      {
        deviceId: port.deviceId,
        adminStateUp: port.adminStateUp,
        portSecurity: port.portSecurityEnabled,
        securityGroupIds: port.securityGroupIds,
        allowedAddressPairs: port.allowedAddressPairs.map(({ ipAddress, macAddress }) => ({
          ip: ipAddress,
          ...(macAddress === undefined ? {} : { macAddress }),
        })),
      },
    ]),
  );
}

/**
 * Reads rules of the given groups and, for groups that rules name as remote, the addresses of their members.
 * @cost two requests to the Network service, whatever the number of groups
 */
export async function readSecurity(
  ctx: Ctx,
  neutron: Neutron,
  groupIds: readonly string[],
): Promise<SecurityPicture> {
  if (groupIds.length === 0) return { rulesOf: new Map(), membersOf: new Map() };
  const groups = await neutron.listSecurityGroups(ctx, { ids: groupIds });
  const remote = new Set(groups.flatMap((g) => g.rules.flatMap((r) => r.remoteGroupId ?? [])));
  const projects = new Set(groups.map((g) => g.projectId));
  const ports =
    remote.size === 0
      ? []
      : (await Promise.all([...projects].map((projectId) => neutron.listPorts(ctx, { projectId })))).flat();
  return { rulesOf: new Map(groups.map((g) => [g.id, switchRules(g)])), membersOf: members(remote, ports) };
}

/**
 * A group's rules in the switch's form, in the order of their ids. Rules of protocols that it does not know,
 * and those for address groups, which nothing here reads, are left out: rules only ever allow.
 */
function switchRules(group: SecurityGroupInfo): readonly SecurityRule[] {
  return [...group.rules]
    .sort((a, b) => byId([a.id, a], [b.id, b]))
    .flatMap((rule): SecurityRule[] => {
      const protocol =
        rule.protocol === undefined ? undefined : protocolNumber(rule.protocol, rule.ethertype);
      if (rule.protocol !== undefined && protocol === undefined) return [];
      if (rule.remoteAddressGroupId !== undefined) return [];
      return [
        {
          direction: rule.direction,
          ethertype: rule.ethertype,
          ...(protocol === undefined ? {} : { protocol }),
          ...(rule.portRangeMin === undefined ? {} : { portRangeMin: rule.portRangeMin }),
          ...(rule.portRangeMax === undefined ? {} : { portRangeMax: rule.portRangeMax }),
          ...(rule.remoteIpPrefix === undefined ? {} : { remoteCidr: rule.remoteIpPrefix }),
          ...(rule.remoteGroupId === undefined ? {} : { remoteGroupId: rule.remoteGroupId }),
        },
      ];
    });
}

function protocolNumber(protocol: string, ethertype: string): number | undefined {
  if (/^\d+$/.test(protocol)) return Number(protocol);
  if (protocol === "icmp" && ethertype === "IPv6") return ipProtocols.get("ipv6-icmp");
  return ipProtocols.get(protocol);
}

function members(
  groups: ReadonlySet<string>,
  ports: readonly PortInfo[],
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>([...groups].map((id) => [id, []]));
  for (const port of ports) {
    for (const groupId of port.securityGroupIds)
      found
        .get(groupId)
        ?.push(
          ...port.fixedIps.map((f) => f.ipAddress),
          ...port.allowedAddressPairs.map((pair) => pair.ipAddress),
        );
  }
  return new Map([...found].sort(byId).map(([id, addresses]) => [id, addresses.sort()]));
}

/** The service lists in any order; the same members must look the same. */
const byId = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1);
