import type { Cidr, IpHex } from "../packet/address.js";
import { cidrContains, parseCidr, parseIp } from "../packet/address.js";
import type { GroupMembers } from "../port-config.js";

interface Members { readonly ips: ReadonlySet<IpHex>; readonly networks: readonly Cidr[] }

/** Who is in which security group: what the control plane says about all hosts, and what the local ports say themselves. */
export class GroupDirectory {
  #told = new Map<string, Members>();
  readonly #local = new Map<string, { readonly groupIds: ReadonlySet<string>; readonly ips: ReadonlySet<IpHex> }>();

  /** Replaces what is known from elsewhere. @throws on text that is no address; nothing has changed then */
  setTold(groups: readonly GroupMembers[]): void {
    this.#told = new Map(groups.map(({ groupId, addresses }) => [groupId, {
      ips: new Set(addresses.filter((text) => !text.includes("/")).map(parseIp)), networks: addresses.filter((text) => text.includes("/")).map(parseCidr),
    }]));
  }

  setPort(portId: string, groupIds: readonly string[], ips: readonly IpHex[]): void {
    this.#local.set(portId, { groupIds: new Set(groupIds), ips: new Set(ips) });
  }

  removePort(portId: string): void { this.#local.delete(portId); }

  /** @cost O(local ports and networks of the group); asked once per conversation, not per packet */
  readonly isMember = (groupId: string, ip: IpHex): boolean => {
    const told = this.#told.get(groupId);
    if (told !== undefined && (told.ips.has(ip) || told.networks.some((network) => cidrContains(network, ip)))) return true;
    for (const port of this.#local.values()) if (port.groupIds.has(groupId) && port.ips.has(ip)) return true;
    return false;
  };
}
