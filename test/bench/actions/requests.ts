import type { OperationDeclaration } from "../../../pkg/model/operation-declaration.js";

/** What a request needs to know of the cloud. */
export interface Given {
  readonly serverId: string;
  readonly imageId: string;
  readonly networkId: string;
  /** The server's first port; empty for kinds that need none. */
  readonly portId: string;
  /** A volume that the server has, or is to get; empty for kinds that need none. */
  readonly volumeId: string;
}

export interface ActionRequest {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Asks Block Storage, which then begins the kind; absent: Compute. */
  readonly service?: "volumes";
}

/** Values of actions that say more than which server. */
const VALUES: Readonly<Record<string, (given: Given) => unknown>> = {
  reboot: () => ({ type: "HARD" }),
  rebuild: ({ imageId }) => ({ imageRef: imageId }),
  createImage: () => ({ name: "bench" }),
  createBackup: () => ({ name: "bench", backup_type: "daily", rotation: 1 }),
  changePassword: () => ({ adminPass: "correct horse" }),
  "os-resetState": () => ({ state: "active" }),
};

/** Requests of kinds that no action begins. */
const OTHERS: Readonly<Record<string, (given: Given) => ActionRequest>> = {
  "server.soft-delete": ({ serverId }) => ({ method: "DELETE", path: `/servers/${serverId}` }),
  "server.attach-interface": ({ serverId, networkId }) => ({
    method: "POST",
    path: `/servers/${serverId}/os-interface`,
    body: { interfaceAttachment: { net_id: networkId } },
  }),
  "server.detach-interface": ({ serverId, portId }) => ({
    method: "DELETE",
    path: `/servers/${serverId}/os-interface/${portId}`,
  }),
  "server.refresh-interfaces": ({ serverId }) => ({
    method: "POST",
    path: "/os-server-external-events",
    body: { events: [{ name: "network-changed", server_uuid: serverId }] },
  }),
  "server.attach-volume": ({ serverId, volumeId }) => ({
    method: "POST",
    path: `/servers/${serverId}/os-volume_attachments`,
    body: { volumeAttachment: { volumeId } },
  }),
  "server.detach-volume": ({ serverId, volumeId }) => ({
    method: "DELETE",
    path: `/servers/${serverId}/os-volume_attachments/${volumeId}`,
  }),
  "server.extend-volume": ({ volumeId }) => ({
    service: "volumes",
    method: "POST",
    path: `/volumes/${volumeId}/action`,
    body: { "os-extend": { new_size: 2 } },
  }),
};

/** Kinds that work with a port that the server has. */
export const WITH_PORT: ReadonlySet<string> = new Set(["server.detach-interface"]);

/** Kinds that work with a volume, and what brings a server to where it has what they need. */
export const WITH_VOLUME: Readonly<Record<string, readonly string[]>> = {
  "server.attach-volume": [],
  "server.detach-volume": ["server.attach-volume"],
  "server.extend-volume": ["server.attach-volume"],
};

/** Kinds that cannot be asked for, and why. */
export const UNASKED: Readonly<Record<string, string>> = {
  "server.swap-volume":
    "Compute takes it for volumes that migrate only, and this Block Storage migrates none",
};

/** Makes the REST requests that begin a kind on a server; undefined when these tables have none. */
export function requestOf({
  kind,
  methods,
}: Pick<OperationDeclaration, "kind" | "methods">): ((given: Given) => ActionRequest) | undefined {
  const other = OTHERS[kind];
  if (other !== undefined) return other;
  const key = methods.find((method) => method.key !== undefined)?.key;
  if (key === undefined) return undefined;
  return (given) => ({
    method: "POST",
    path: `/servers/${given.serverId}/action`,
    body: { [key]: VALUES[key]?.(given) ?? null },
  });
}
