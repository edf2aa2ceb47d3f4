import type { Cinder } from "../clients/cinder/ports.js";
import type { Glance } from "../clients/glance/ports.js";
import type { Keystone } from "../clients/keystone/ports.js";
import type { Neutron } from "../clients/neutron/ports.js";
import type { Clock, Ids } from "../kernel/index.js";
import type { Policy } from "../policy/index.js";
import type { Channel } from "../platform/rpc/index.js";
import type { ApiConfig } from "./config.js";
import type { TokenKey } from "./crypto/token-box.js";

/** What the api asks of the Image service, with its own rights: visibility is checked here. */
export type ImagesPort = Pick<Glance, "getImage">;
/** What the api asks of the Network service, with its own rights: ownership is checked here. */
export type NetworksPort = Pick<
  Neutron,
  | "listNetworks"
  | "getPort"
  | "listPorts"
  | "updatePort"
  | "listFloatingIps"
  | "updateFloatingIp"
  | "listSecurityGroups"
  | "getSecurityGroup"
  | "quota"
>;
/** What the api asks of the Block Storage service, with its own rights: ownership is checked here. */
export type VolumesPort = Pick<Cinder, "getVolume" | "getSnapshot" | "listVolumes" | "listTypes" | "limits">;
/** What the api asks of Identity. */
export type ProjectsPort = Pick<Keystone, "projectExists">;

/** Everything from outside that the api needs. */
export interface ApiDeps {
  readonly config: ApiConfig;
  readonly policy: Policy;
  readonly clock: Clock;
  readonly ids: Ids;
  /** For tokens that clients carry; the first seals, all open. The same in every api process. */
  readonly tokenKeys: readonly [TokenKey, ...TokenKey[]];
  /** To the cells service, as `api`. */
  readonly cells: Channel;
  /** To the scheduler, as `api`: for questions only. */
  readonly scheduler: Channel;
  /**
   * To the agent of a host, by the address in its service record; channels are kept and closed by whoever
   * gives them.
   */
  agent(address: string, host: string): Channel;
  readonly glance: ImagesPort;
  readonly neutron: NetworksPort;
  readonly cinder: VolumesPort;
  readonly keystone: ProjectsPort;
}
