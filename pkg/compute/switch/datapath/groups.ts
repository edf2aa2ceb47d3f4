import type { IpHex } from "../packet/address.js";
import { parseIp } from "../packet/address.js";
import type { GroupMembers } from "../port-config.js";

/** Who is in which security group: what the control plane says about all hosts, and what the local ports say themselves. */
export class GroupDirectory {
  #told = new Map<string, ReadonlySet<IpHex>>();
  readonly #local = new Map<string, { readonly groupIds: ReadonlySet<string>; readonly ips: ReadonlySet<IpHex> }>();

  /** Replaces what is known from elsewhere. @throws on text that is no address; nothing has changed then */
  setTold(groups: readonly GroupMembers[]): void {
    this.#told = new Map(groups.map((group) => [group.groupId, new Set(group.addresses.map(parseIp))]));
  }

  setPort(portId: string, groupIds: readonly string[], ips: readonly IpHex[]): void {
    this.#local.set(portId, { groupIds: new Set(groupIds), ips: new Set(ips) });
  }

  removePort(portId: string): void { this.#local.delete(portId); }

  /** @cost O(local ports); asked once per conversation, not per packet */
  readonly isMember = (groupId: string, ip: IpHex): boolean => {
    if (this.#told.get(groupId)?.has(ip) === true) return true;
    for (const port of this.#local.values()) if (port.groupIds.has(groupId) && port.ips.has(ip)) return true;
    return false;
  };
}
