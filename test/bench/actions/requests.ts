import type { OperationDeclaration } from "../../../pkg/model/operation-declaration.js";

/** What a request needs to know of the cloud. */
export interface Given {
  readonly serverId: string;
  readonly imageId: string;
  readonly networkId: string;
  /** The server's first port. */
  readonly portId: string;
}

export interface ActionRequest {
  readonly method: "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
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
};

/** The REST request that begins a kind on a server; undefined when this table has none. */
export function requestOf(
  { kind, methods }: Pick<OperationDeclaration, "kind" | "methods">,
  given: Given,
): ActionRequest | undefined {
  const other = OTHERS[kind];
  if (other !== undefined) return other(given);
  const key = methods.find((method) => method.key !== undefined)?.key;
  if (key === undefined) return undefined;
  return {
    method: "POST",
    path: `/servers/${given.serverId}/action`,
    body: { [key]: VALUES[key]?.(given) ?? null },
  };
}
