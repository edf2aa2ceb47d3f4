import { isDeepStrictEqual } from "node:util";
import type { Cidr, IpHex } from "../packet/address.js";
import { cidrContains, parseCidr, parseIp } from "../packet/address.js";
import type { GroupMembers } from "../port-config.js";

interface Members {
  readonly ips: ReadonlySet<IpHex>;
  readonly networks: readonly Cidr[];
}

/**
 * Who is in which security group: what the control plane says about all hosts, and what the local ports say
 * themselves.
 */
export class GroupDirectory {
  #told: ReadonlyMap<string, Members> = new Map();
  readonly #local = new Map<
    string,
    { readonly groupIds: ReadonlySet<string>; readonly ips: ReadonlySet<IpHex> }
  >();

  /**
   * Replaces what is known from elsewhere. @returns whether that is anything new. @throws on text that is no
   * address; nothing has changed then
   */
  setTold(groups: readonly GroupMembers[]): boolean {
    const told = new Map(
      groups.map(({ groupId, addresses }) => [
        groupId,
        {
          ips: new Set(addresses.filter((text) => !text.includes("/")).map(parseIp)),
          networks: addresses.filter((text) => text.includes("/")).map(parseCidr),
        },
      ]),
    );
    if (isDeepStrictEqual(told, this.#told)) return false;
    this.#told = told;
    return true;
  }

  /** @returns whether that changes who is in which group */
  setPort(portId: string, groupIds: readonly string[], ips: readonly IpHex[]): boolean {
    const local = { groupIds: new Set(groupIds), ips: new Set(ips) };
    if (isDeepStrictEqual(local, this.#local.get(portId))) return false;
    this.#local.set(portId, local);
    return true;
  }

  removePort(portId: string): void {
    this.#local.delete(portId);
  }

  /** @cost O(local ports and networks of the group); asked once per conversation, not per packet */
  readonly isMember = (groupId: string, ip: IpHex): boolean => {
    const told = this.#told.get(groupId);
    if (
      told !== undefined &&
      (told.ips.has(ip) || told.networks.some((network) => cidrContains(network, ip)))
    )
      return true;
    for (const port of this.#local.values()) if (port.groupIds.has(groupId) && port.ips.has(ip)) return true;
    return false;
  };
}
