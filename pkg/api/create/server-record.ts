import type { AcceptedServer } from "../../../gen/kilonova/cells/v1/global_service.js";
import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { KeyPairType } from "../../../gen/kilonova/type/v1/key_pair.js";
import type { KeyPair } from "../../../gen/kilonova/type/v1/key_pair.js";
import { ServerSpec } from "../../../gen/kilonova/type/v1/server_spec.js";
import { Server } from "../../../gen/kilonova/cells/v1/server.js";
import { DiskConfig, PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import { imageRefOf } from "../../clients/glance/index.js";
import type { Instant } from "../../kernel/index.js";
import { isVolume, rootNameOf } from "../../model/boot-devices.js";
import { canonicalIpOr } from "../../model/ip-address.js";
import { TaskState } from "../../model/instance-states.js";
import { toTimestamp } from "../../model/wire-time.js";
import { hostnameFrom, numbered } from "../domain/hostname.js";
import type { ZoneRequest } from "../domain/zone-request.js";
import type { DevicePlan } from "./devices.js";
import type { Gathered } from "./gather.js";
import type { AcceptedImage } from "./image.js";

/** What all servers of one request share. */
export interface Batch {
  readonly request: CreateServersRequest;
  readonly gathered: Gathered;
  readonly disks: DevicePlan;
  readonly zone: ZoneRequest;
  readonly projectId: string;
  readonly userId: string;
  /** Of the user who asks. */
  readonly roles: readonly string[];
  readonly reservationId: string;
  readonly adminPassword: string;
  /** With which its volumes are made; "" for none. */
  readonly userToken: string;
  /** "" for none. */
  readonly serverGroupId: string;
  readonly configDrive: boolean;
  readonly diskConfig: DiskConfig;
  readonly now: Instant;
  /** Servers to ask for. */
  readonly count: number;
  /**
   * The most that the request wished: when more than one, their names carry numbers, however many come of it.
   */
  readonly wished: number;
}

/** One server of a batch: what it shall be, its secrets, and its first record. @param index  from 0 */
export function acceptedServer(batch: Batch, index: number, id: string): AcceptedServer {
  const spec = specOf(batch, index, id);
  return {
    serverId: id,
    spec,
    secrets: {
      adminPassword: batch.adminPassword,
      userData: batch.request.userData?.toString("base64") ?? "",
      userToken: batch.disks.devices.some(isVolume) ? batch.userToken : "",
    },
    server: recordOf(batch, spec, index, id),
  };
}

function specOf(
  { request, gathered, disks, roles, zone, configDrive, diskConfig, wished, count, serverGroupId }: Batch,
  index: number,
  id: string,
): ServerSpec {
  const { flavor, image, keyPair, networks, securityGroups } = gathered;
  const name = numbered(request.name, index, wished);
  return ServerSpec.fromPartial({
    name,
    hostname: request.hostname ?? hostnameFrom(name, `Server-${id}`),
    flavor: { ...flavor, projectIds: [] },
    image: image && imageRefOf(image.info, image.properties),
    kernel: image?.kernel && imageRefOf(image.kernel, new Map()),
    ramdisk: image?.ramdisk && imageRefOf(image.ramdisk, new Map()),
    networks: [...networks],
    securityGroups: [...securityGroups.ids],
    securityGroupNames: [...securityGroups.names],
    ...keyFields(keyPair),
    configDrive,
    availabilityZone: gathered.availabilityZone,
    forcedHost: zone.host,
    forcedNode: zone.node,
    requestedHost: request.host ?? "",
    requestedNode: request.hypervisorHostname ?? "",
    metadata: request.metadata,
    tags: [...new Set(request.tags)].sort(),
    description: request.description ?? "",
    hasDescription: request.description !== undefined,
    accessIpV4: canonicalIpOr(request.accessIpV4 ?? ""),
    accessIpV6: canonicalIpOr(request.accessIpV6 ?? ""),
    diskConfig,
    schedulerHints: request.schedulerHints,
    serverGroupId,
    trustedImageCertificates: request.trustedImageCertificates,
    files: request.files,
    bootRoles: [...roles],
    batchSize: count,
    blockDevices: [...disks.devices],
    ...(image === undefined && disks.volumeBacked && disks.boot !== undefined
      ? {
          volumeImageProperties: new Map(disks.boot.properties),
          volumeImageMinMemoryMib: disks.boot.info.minRamMib,
        }
      : {}),
  });
}

function recordOf(batch: Batch, spec: ServerSpec, index: number, id: string): Server {
  const { image } = batch.gathered;
  return Server.fromPartial({
    id,
    name: spec.name,
    projectId: batch.projectId,
    userId: batch.userId,
    hostname: spec.hostname,
    description: spec.description,
    hasDescription: spec.hasDescription,
    vmState: VmState.VM_STATE_BUILDING,
    taskState: TaskState.scheduling,
    powerState: PowerState.POWER_STATE_NOSTATE,
    createdAt: toTimestamp(batch.now),
    updatedAt: toTimestamp(batch.now),
    flavor: spec.flavor,
    image: image && shownImage(image),
    metadata: spec.metadata,
    tags: spec.tags,
    accessIpV4: spec.accessIpV4,
    accessIpV6: spec.accessIpV6,
    configDrive: spec.configDrive,
    diskConfig: spec.diskConfig,
    keyName: spec.keyName,
    securityGroups: spec.securityGroupNames,
    availabilityZone: spec.availabilityZone,
    pinnedAvailabilityZone: spec.availabilityZone,
    trustedImageCertificates: spec.trustedImageCertificates,
    schedulerHints: spec.schedulerHints,
    serverGroupId: spec.serverGroupId,
    reservationId: batch.reservationId,
    launchIndex: index,
    hostInfo: {
      kernelId: spec.kernel?.id,
      ramdiskId: spec.ramdisk?.id,
      ...(spec.blockDevices.length === 0 ? {} : { rootDeviceName: rootNameOf(spec.blockDevices) }),
    },
    generation: 1n,
  });
}

/** What a server keeps of a key pair; empty without one. */
export const keyFields = (
  keyPair: KeyPair | undefined,
): Pick<ServerSpec, "keyName" | "publicKey" | "keyType"> => ({
  keyName: keyPair?.name ?? "",
  publicKey: keyPair?.publicKey ?? "",
  keyType: keyPair === undefined ? "" : keyPair.type === KeyPairType.KEY_PAIR_TYPE_X509 ? "x509" : "ssh",
});

/** Users see the properties as the image has them. */
export const shownImage = ({ info }: AcceptedImage): { id: string; properties: Map<string, string> } => ({
  id: info.id,
  properties: new Map(Object.entries(info.properties)),
});
