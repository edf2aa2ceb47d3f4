import type { PortStats, TunnelStats } from "./datapath/statistics.js";
import type { GroupMembers, PeerConfig, PortConfig } from "./port-config.js";

/** What the agent tells its switch. Each is answered by one `Reply` with the same id. */
export type Command = { readonly id: number } & (
  | { readonly type: "set-port"; readonly config: PortConfig }
  | { readonly type: "remove-port"; readonly portId: string }
  | { readonly type: "set-peers"; readonly peers: readonly PeerConfig[] }
  | { readonly type: "set-groups"; readonly groups: readonly GroupMembers[] }
  | { readonly type: "stats" }
  | { readonly type: "close" }
);

/** A command without its id, which the client adds. */
export type CommandBody = Command extends infer C
  ? C extends { readonly id: number }
    ? Omit<C, "id">
    : never
  : never;

export type Reply =
  | { readonly type: "reply"; readonly id: number; readonly ok: true; readonly stats?: SwitchStats }
  | { readonly type: "reply"; readonly id: number; readonly ok: false; readonly error: WireError };

/** A KilonovaError's parts: class instances do not survive the way between threads. */
export interface WireError {
  readonly reason: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** The agent's answer to a metadata request of the switch. */
export interface MetadataReply {
  readonly type: "metadata-reply";
  readonly id: number;
  readonly response: MetadataResponse;
}

/** What the switch tells the agent by itself. */
export type Notice =
  | { readonly type: "ready"; readonly tunnelPort: number }
  | { readonly type: "failed"; readonly error: WireError }
  | { readonly type: "port-link"; readonly portId: string; readonly connected: boolean }
  | { readonly type: "keeping-failed"; readonly error: WireError }
  | { readonly type: "metadata-request"; readonly id: number; readonly request: MetadataRequest };

export type ToWorker = Command | MetadataReply;
export type FromWorker = Reply | Notice;

/** What the worker is started with. */
export interface WorkerInit {
  readonly tunnel: { readonly address: string; readonly port: number };
  readonly conversationsDir?: string;
}

/** A guest's HTTP request to 169.254.169.254. The port by which it came is the proof of who asks. */
export interface MetadataRequest {
  readonly portId: string;
  readonly instanceUuid: string;
  readonly method: string;
  /** Path with query, as sent. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface MetadataResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface SwitchStats {
  readonly ports: readonly PortStats[];
  readonly tunnel: TunnelStats;
}
