import type { CreateServersRequest } from "../../../gen/kilonova/api/v1/servers_service.js";
import { makePassword, makeReservationId } from "../crypto/chance.js";
import { affordable } from "../domain/affordable.js";
import { readDevices } from "../domain/block-devices.js";
import type { Counts } from "../domain/counts.js";
import { countsOf } from "../domain/counts.js";
import { configDriveOf, diskConfigOf } from "../domain/disk-config.js";
import { requireFileLimits, requireMetadataLimit } from "../domain/injected-limits.js";
import type { HintedIds } from "../domain/scheduler-hints.js";
import { hintedIds } from "../domain/scheduler-hints.js";
import type { ZoneRequest } from "../domain/zone-request.js";
import { parseZone } from "../domain/zone-request.js";
import { ApiErrors, CreateErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Call } from "../rights/rights.js";
import { planDevices } from "./devices.js";
import { gather } from "./gather.js";
import type { Batch } from "./server-record.js";

/** What the request alone tells. */
interface Understood {
  readonly counts: Counts;
  readonly zone: ZoneRequest;
  readonly hinted: HintedIds;
}

/**
 * What a request comes to, everything checked but the quota, which only bounds the number of records; nothing
 * is stored.
 */
export interface CreatePlan {
  readonly batch: Batch;
  readonly minCount: number;
}

/**
 * Rights, then what the request says by itself, then everything it refers to. @throws what CreateServers
 * refuses before it accepts
 */
export async function planCreate(
  parts: Parts,
  ctx: Call,
  request: CreateServersRequest,
): Promise<CreatePlan> {
  const zone = parseZone(request.availabilityZone ?? "", parts.config.defaultAvailabilityZone);
  enforceRights(ctx, request, zone);
  const understood = understand(request, zone);
  return { batch: await makeBatch(parts, ctx, request, understood), minCount: understood.counts.min };
}

function enforceRights(ctx: Call, request: CreateServersRequest, zone: ZoneRequest): void {
  if (ctx.actor.projectId === "") throw ApiErrors.NOT_AUTHORIZED({ what: "A token of a project is needed." });
  if (zone.host !== "" || zone.node !== "") ctx.rights.enforce("os_compute_api:servers:create:forced_host");
  if (namesHost(request)) ctx.rights.enforce("compute:servers:create:requested_destination");
  if (request.blockDevices.length > 0) ctx.rights.enforce("os_compute_api:servers:create:attach_volume");
  if (request.networks.length > 0) ctx.rights.enforce("os_compute_api:servers:create:attach_network");
  if (request.trustedImageCertificates.length > 0)
    ctx.rights.enforce("os_compute_api:servers:create:trusted_certs");
}

const namesHost = ({ host, hypervisorHostname }: CreateServersRequest): boolean =>
  host !== undefined || hypervisorHostname !== undefined;

function understand(request: CreateServersRequest, zone: ZoneRequest): Understood {
  if ((zone.host !== "" || zone.node !== "") && namesHost(request)) throw CreateErrors.TWO_DESTINATIONS({});
  const counts = countsOf(request.minCount, request.maxCount);
  if (request.hostname !== undefined && counts.max > 1) throw CreateErrors.AMBIGUOUS_HOSTNAME({});
  const hinted = hintedIds(request.schedulerHints);
  readDevices(request.blockDevices, request.imageId);
  if (request.imageId === undefined && request.blockDevices.length === 0)
    throw CreateErrors.IMAGE_REQUIRED({});
  if (request.imageId === undefined && request.trustedImageCertificates.length > 0)
    throw CreateErrors.CERTIFICATES_NEED_IMAGE({});
  return { counts, zone, hinted };
}

async function makeBatch(
  parts: Parts,
  ctx: Call,
  request: CreateServersRequest,
  { counts, zone, hinted }: Understood,
): Promise<Batch> {
  const gathered = await gather(parts, ctx, request, { zone, maxCount: counts.max, hinted });
  const { flavor, image, quotas } = gathered;
  requireMetadataLimit(request.metadata.size, quotas);
  requireFileLimits(request.files, quotas);
  const disks = await planDevices(parts, ctx, request, { flavor, image, maxCount: counts.max });
  const { projectId, userId, roles } = ctx.actor;
  const count = affordable(counts, { instances: 1, cores: flavor.vcpus, ram: flavor.memoryMib }, quotas);
  return {
    request,
    gathered,
    disks,
    zone,
    projectId,
    userId,
    roles,
    serverGroupId: hinted.groupId,
    count,
    wished: counts.max,
    now: parts.clock.now(),
    reservationId: makeReservationId(),
    adminPassword: request.adminPassword ?? makePassword(),
    userToken: ctx.userToken ?? "",
    configDrive: configDriveOf(request.configDrive, disks.boot, parts.config.forceConfigDrive),
    diskConfig: diskConfigOf(request.diskConfig, disks.boot),
  };
}
