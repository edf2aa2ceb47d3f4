import type { PortConfig } from "../port-config.js";
import { defaultGroupRules } from "../port-config.js";

/**
 * A port of network 10.77.0.0/24 in the project's default group; a test overrides what it looks at. @param n
 * 1..254, last byte of its addresses
 */
export const somePort = (n: number, over: Partial<PortConfig> = {}): PortConfig => ({
  portId: `port-${n}`,
  instanceUuid: `00000000-0000-4000-8000-${n.toString().padStart(12, "0")}`,
  networkId: "net-1",
  vni: 77,
  macAddress: `fa:16:3e:00:00:${n.toString(16).padStart(2, "0")}`,
  mtu: 1450,
  hostname: `guest-${n}`,
  fixedIps: [
    {
      ip: `10.77.0.${n}`,
      prefixLength: 24,
      gateway: "10.77.0.254",
      dns: ["9.9.9.9"],
      routes: [],
      dhcp: true,
    },
  ],
  portSecurity: true,
  securityGroupIds: ["default"],
  securityRules: defaultGroupRules("default"),
  socketPath: `/nonexistent/${n}.sock`,
  ...over,
});
