/** @returns e.g. `255.255.255.0` for 24 */
export function ipv4Netmask(prefix: number): string {
  const bits = prefix <= 0 ? 0 : (0xffffffff << (32 - Math.min(prefix, 32))) >>> 0;
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 0xff).join(".");
}

/** @returns e.g. `ffff:ffff:ffff:ffff::` for 64 */
export function ipv6Netmask(prefix: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => {
    const bits = Math.max(0, Math.min(16, prefix - i * 16));
    return ((0xffff << (16 - bits)) & 0xffff).toString(16);
  });
  const used = groups.filter((g) => g !== "0");
  if (used.length === 8) return used.join(":");
  // A single zero group is written out; `::` stands for two or more.
  return used.length === 7 ? `${used.join(":")}:0` : `${used.join(":")}::`;
}

/** Splits `10.1.0.0/16`; a bare address has the full prefix. */
export function splitCidr(cidr: string): { readonly address: string; readonly prefix: number } {
  const [address = "", prefix] = cidr.split("/");
  return { address, prefix: prefix === undefined ? (address.includes(":") ? 128 : 32) : Number(prefix) };
}
