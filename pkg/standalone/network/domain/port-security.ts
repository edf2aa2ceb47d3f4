import { E } from "../errors.js";
import type { AddressPair, Port } from "./model.js";

/**
 * Security groups and further addresses only mean something on a port that is guarded.
 * @param wantsGroups  whether the request itself names security groups
 * @throws PORT_SECURITY_AND_IP_REQUIRED_FOR_SECURITY_GROUPS, PORT_SECURITY_PORT_HAS_SECURITY_GROUP,
 *   ADDRESS_PAIR_AND_PORT_SECURITY_REQUIRED
 */
export function checkPortSecurity(
  after: Pick<Port, "portSecurityEnabled" | "securityGroupIds" | "allowedAddressPairs">,
  wantsGroups: boolean,
): void {
  if (after.portSecurityEnabled) return;
  if (after.securityGroupIds.length > 0)
    throw wantsGroups
      ? E.PORT_SECURITY_AND_IP_REQUIRED_FOR_SECURITY_GROUPS({})
      : E.PORT_SECURITY_PORT_HAS_SECURITY_GROUP({});
  if (after.allowedAddressPairs.length > 0) throw E.ADDRESS_PAIR_AND_PORT_SECURITY_REQUIRED({});
}

/** @throws DUPLICATE_ADDRESS_PAIR_IN_REQUEST; a pair without a MAC address has the port's */
export function checkAddressPairs(pairs: readonly AddressPair[], portMac: string): void {
  const seen = new Set<string>();
  for (const { ip_address: ip, mac_address: mac = portMac } of pairs) {
    if (seen.has(`${ip} ${mac}`)) throw E.DUPLICATE_ADDRESS_PAIR_IN_REQUEST({ mac, ip });
    seen.add(`${ip} ${mac}`);
  }
}
