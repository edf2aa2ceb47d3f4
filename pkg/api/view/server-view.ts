import { Server } from "../../../gen/kilonova/api/v1/server.js";
import type { Server as StoredServer } from "../../../gen/kilonova/cells/v1/server.js";
import type { ServerAddress, ServerHostInfo } from "../../../gen/kilonova/type/v1/server.js";
import { HostStatus } from "../../../gen/kilonova/type/v1/server.js";
import type { HostService } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../kernel/index.js";
import type { RuleName } from "../../policy/index.js";
import type { Call } from "../rights/rights.js";
import { hostIdOf } from "../../model/host-id.js";
import { orNone } from "../../model/presence.js";
import { storedHints } from "../../model/scheduler-hints.js";
import type { HostDirectory } from "../cells/host-directory.js";

/** What a caller may see of servers; the same for all servers of one answer. */
export interface ServerMask {
  readonly hostInfo: boolean;
  readonly hostStatus: "all" | "unknown-only" | "none";
  readonly extraSpecs: boolean;
  readonly faultDetails: boolean;
  readonly userData: boolean;
}

/** What a caller wants beyond the usual. */
export interface ServerWishes {
  readonly hostInfo: boolean;
  readonly userData: boolean;
}

/** Asks the rules that only change an answer. */
export function maskOf({ rights }: Call, wishes: ServerWishes): ServerMask {
  const may = (rule: RuleName): boolean => rights.allows(rule);
  const attributes =
    (wishes.hostInfo || wishes.userData) && may("os_compute_api:os-extended-server-attributes");
  return {
    hostInfo: wishes.hostInfo && attributes,
    hostStatus: !wishes.hostInfo
      ? "none"
      : may("os_compute_api:servers:show:host_status")
        ? "all"
        : may("os_compute_api:servers:show:host_status:unknown-only")
          ? "unknown-only"
          : "none",
    extraSpecs: may("os_compute_api:servers:show:flavor-extra-specs"),
    faultDetails: rights.isAdmin,
    userData: wishes.userData && attributes,
  };
}

/** The paths that answers name in `hidden_fields`. */
export const hiddenFields = (mask: ServerMask): string[] => [
  ...(mask.hostInfo ? [] : ["host_info"]),
  ...(mask.hostStatus === "none" ? ["host_status"] : []),
  ...(mask.extraSpecs ? [] : ["flavor.extra_specs"]),
  ...(mask.faultDetails ? [] : ["fault.details"]),
  ...(mask.userData ? [] : ["user_data"]),
];

/**
 * A stored server as the caller may see it: the one way from the record to the tenants' view. Where the
 * record has an empty text the view has nothing.
 * @param host  the compute service of its host, when it has one
 */
export function presentServer(server: StoredServer, mask: ServerMask, host: HostService | undefined): Server {
  const info = server.hostInfo;
  return {
    id: server.id,
    name: server.name,
    projectId: server.projectId,
    userId: server.userId,
    hostname: server.hostname,
    description: server.hasDescription ? server.description : undefined,
    vmState: server.vmState,
    taskState: orNone(server.taskState),
    powerState: server.powerState,
    createdAt: server.createdAt,
    updatedAt: server.updatedAt,
    launchedAt: server.launchedAt,
    terminatedAt: server.terminatedAt,
    deletedAt: server.deletedAt,
    flavor: server.flavor && {
      ...server.flavor,
      projectIds: [],
      extraSpecs: mask.extraSpecs ? server.flavor.extraSpecs : new Map(),
    },
    image: server.image && { ...server.image, id: orNone(server.image.id) },
    metadata: server.metadata,
    tags: server.tags,
    addresses: server.addresses.map(presentAddress),
    accessIpV4: orNone(server.accessIpV4),
    accessIpV6: orNone(server.accessIpV6),
    configDrive: server.configDrive,
    diskConfig: server.diskConfig,
    keyName: orNone(server.keyName),
    securityGroups: server.securityGroups,
    availabilityZone: orNone(host?.availabilityZone) ?? orNone(server.availabilityZone),
    pinnedAvailabilityZone: orNone(server.pinnedAvailabilityZone),
    lock: server.lock && { ...server.lock, reason: orNone(server.lock.reason) },
    progress: server.progress,
    fault: server.fault && {
      ...server.fault,
      details: mask.faultDetails || server.fault.code !== 500 ? orNone(server.fault.details) : undefined,
      reason: orNone(server.fault.reason),
    },
    trustedImageCertificates: server.trustedImageCertificates,
    volumes: server.volumes,
    serverGroupId: orNone(server.serverGroupId),
    reservationId: server.reservationId,
    launchIndex: server.launchIndex,
    userData: mask.userData && server.userData !== "" ? Buffer.from(server.userData, "base64") : undefined,
    hostId: orNone(hostIdOf(server.projectId, info?.host ?? "")),
    hostStatus: shownStatus(mask, statusOf(info, host)),
    generation: server.generation,
    currentOperation: orNone(server.currentOperation),
    hostInfo: mask.hostInfo ? presentHostInfo(info) : undefined,
    schedulerHints: storedHints(server),
  };
}

/** What is known of a server whose cell is silent. */
export const sketchServer = ({
  id,
  projectId,
  createdAt,
}: Pick<StoredServer, "id" | "projectId" | "createdAt">): Server =>
  Server.fromPartial({ id, projectId, createdAt });

/** All that `presentServer` looks at of a host: equal for two states of it that look the same. */
export const shownOfHost = (host: HostService | undefined): string =>
  host === undefined
    ? ""
    : `${host.forcedDown ? "f" : ""}${host.disabled ? "d" : ""}${host.up ? "u" : ""}:${host.availabilityZone}`;

/**
 * Presents servers of any number of databases; the hosts of each are read at most once, and unknown when
 * their cell is silent.
 */
export async function presentServers(
  ctx: Ctx,
  directory: HostDirectory,
  mask: ServerMask,
  found: readonly { readonly server: StoredServer; readonly database: string }[],
): Promise<Server[]> {
  const hosted = new Set(
    found.filter(({ server }) => (server.hostInfo?.host ?? "") !== "").map(({ database }) => database),
  );
  const { answers } = await directory.some(ctx, [...hosted]);
  const directories = new Map(answers.map(({ database, value }) => [database, value]));
  return found.map(({ server, database }) =>
    presentServer(server, mask, directories.get(database)?.byHost.get(server.hostInfo?.host ?? "")),
  );
}

const presentHostInfo = (info: ServerHostInfo = {}): ServerHostInfo => ({
  host: orNone(info.host),
  node: orNone(info.node),
  instanceName: orNone(info.instanceName),
  cell: orNone(info.cell),
  computeNodeUuid: orNone(info.computeNodeUuid),
  launchedOn: orNone(info.launchedOn),
  kernelId: orNone(info.kernelId),
  ramdiskId: orNone(info.ramdiskId),
  rootDeviceName: orNone(info.rootDeviceName),
});

/** As a server's record has it, and GetServerAddresses tells it. */
export const presentAddress = (address: ServerAddress): ServerAddress => ({
  ...address,
  macAddress: orNone(address.macAddress),
  portId: orNone(address.portId),
  networkId: orNone(address.networkId),
  subnetId: orNone(address.subnetId),
});

/** The first match in Nova's order wins. */
function statusOf(info: ServerHostInfo | undefined, host: HostService | undefined): HostStatus {
  if ((info?.host ?? "") === "") return HostStatus.HOST_STATUS_NONE;
  if (host === undefined) return HostStatus.HOST_STATUS_UNKNOWN;
  if (host.forcedDown) return HostStatus.HOST_STATUS_DOWN;
  if (host.disabled) return HostStatus.HOST_STATUS_MAINTENANCE;
  return host.up ? HostStatus.HOST_STATUS_UP : HostStatus.HOST_STATUS_UNKNOWN;
}

function shownStatus(mask: ServerMask, status: HostStatus): HostStatus {
  const shown =
    mask.hostStatus === "all" ||
    (mask.hostStatus === "unknown-only" && status === HostStatus.HOST_STATUS_UNKNOWN);
  return shown ? status : HostStatus.HOST_STATUS_UNSPECIFIED;
}
