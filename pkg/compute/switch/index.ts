export { startSwitch } from "./switch-client.js";
export type { MetadataHandler, Switch, SwitchOptions } from "./switch-client.js";
export { defaultGroupRules } from "./port-config.js";
export type {
  AddressPair,
  FixedIp,
  GroupMembers,
  PeerConfig,
  PortConfig,
  SecurityRule,
} from "./port-config.js";
export type { MetadataRequest, MetadataResponse, SwitchStats } from "./protocol.js";
export type { PortStats, TunnelStats } from "./datapath/statistics.js";
