import ipaddr from "ipaddr.js";

/**
 * What counts as one address: IPv4 whole, also within IPv6; of IPv6 the /64 that a single customer has for
 * himself.
 */
export function addressKey(remote: string | undefined): string {
  if (remote === undefined || !ipaddr.isValid(remote)) return "?";
  const address = ipaddr.process(remote);
  return address.kind() === "ipv4"
    ? address.toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/64`).toString();
}
