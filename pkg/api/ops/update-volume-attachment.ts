import { UpdateVolumeAttachmentRequest } from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type {
  UnchangedAttachment,
  UpdateVolumeAttachmentResponse,
} from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { KilonovaError, parseUuid } from "../../kernel/index.js";
import { anyOperation } from "../../model/operation-declaration.js";
import swapKind from "../../model/operations/swap-volume.js";
import type { RuleName } from "../../policy/index.js";
import { changeServer } from "../cells/update-server.js";
import type { LoadedServer } from "../cells/servers.js";
import { ApiErrors, VolumeAttachmentErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { clientToken, id, uuid } from "../shape/common.js";
import { given, object, optional, text } from "../shape/shape.js";
import { devicesOf, presentVolume, volumeOf } from "../volumes/devices.js";
import { visibleVolume } from "../volumes/visible-volume.js";
import { acceptOn, begunBefore } from "./begin-operation.js";
import { behindState } from "./behind-state.js";

type Request = UpdateVolumeAttachmentRequest;

const said = text({ max: 255 });
const unchanged = object<UnchangedAttachment>({
  device: optional(said),
  tag: optional(said),
  id: optional(said),
  serverId: optional(said),
});

const sameId = (a: string, b: string): boolean => (parseUuid(a) ?? a) === (parseUuid(b) ?? b);

/** Whether another volume is to take the place of the one that is attached. */
const isSwap = ({ volumeId, newVolumeId, onlySwap }: Request): boolean =>
  newVolumeId !== undefined && (onlySwap || !sameId(newVolumeId, volumeId));

const ruleOf = (request: Request): RuleName =>
  isSwap(request)
    ? "os_compute_api:os-volumes-attachments:swap"
    : "os_compute_api:os-volumes-attachments:update";

/** Changes what may be changed of an attachment at once, and begins a swap. */
export const updateVolumeAttachment = (
  parts: Parts,
): Guarded<UpdateVolumeAttachmentRequest, UpdateVolumeAttachmentResponse> => {
  const about = parts.servers.about();
  return guarded(
    {
      serverId: id,
      clientToken,
      volumeId: id,
      newVolumeId: given(uuid),
      unchanged: optional(unchanged),
    },
    async (ctx, request: Request) => ({ ...(await about(ctx, request)), decides: ruleOf(request) }),
    async (ctx, request, loaded) => {
      if (request.onlySwap && request.newVolumeId === undefined)
        throw ApiErrors.INVALID_REQUEST({ field: "new_volume_id", problem: "is required" });
      const operation = isSwap(request) ? await swap(parts, ctx, request, loaded) : undefined;
      if (operation === undefined) await changeAttachment(parts, ctx, request, loaded);
      const device = (await devicesOf(parts, ctx, loaded)).find((one) =>
        sameId(one.volumeId, request.volumeId),
      );
      return { operation, volumeAttachment: device === undefined ? undefined : presentVolume(device) };
    },
  );
};

/** @throws VOLUME_ATTACHMENT_NOT_FOUND, NOT_CHANGEABLE */
async function changeAttachment(
  parts: Parts,
  ctx: Call,
  { volumeId, deleteOnTermination, unchanged: same }: Request,
  loaded: LoadedServer,
): Promise<void> {
  const device = await volumeOf(parts, ctx, loaded, volumeId);
  if (same !== undefined) requireSame(same, device);
  if (deleteOnTermination === undefined || deleteOnTermination === device.deleteOnTermination) return;
  const volume = { volumeId: device.volumeId, deleteOnTermination };
  await changeServer(parts, ctx, loaded.server.id, { conditions: undefined, volume });
}

/** @throws NOT_CHANGEABLE, in Nova's order */
function requireSame(
  { id: otherId, serverId, device, tag }: UnchangedAttachment,
  now: Pick<BlockDeviceRecord, "volumeId" | "serverId" | "deviceName" | "tag">,
): void {
  const facts: readonly (readonly [property: string, field: string, same: boolean])[] = [
    ["id", "id", otherId === undefined || sameId(otherId, now.volumeId)],
    ["serverId", "server_id", serverId === undefined || sameId(serverId, now.serverId)],
    ["device", "device", device === undefined || device === now.deviceName],
    ["tag", "tag", tag === undefined || tag === now.tag],
  ];
  for (const [property, field, same] of facts)
    if (!same) throw VolumeAttachmentErrors.NOT_CHANGEABLE({ property, field: `unchanged.${field}` });
}

/** In Nova's order. A repeated call does nothing again, the change of the attachment neither. */
async function swap(parts: Parts, ctx: Call, request: Request, loaded: LoadedServer): Promise<Operation> {
  const kind = anyOperation(swapKind);
  const body = UpdateVolumeAttachmentRequest.encode({ ...request, clientToken: "" }).finish();
  const call = { method: "UpdateVolumeAttachment", body };
  const before = await begunBefore(parts, ctx, kind, { request, call });
  if (before !== undefined) return before;
  if (!request.onlySwap) await changeAttachment(parts, ctx, request, loaded);
  const old = await visibleVolume(parts, ctx, request.volumeId);
  if (!old.migrationStatus) throw VolumeAttachmentErrors.VOLUME_NOT_MIGRATING({ volume: old.id });
  const fresh = await newVolumeOf(parts, ctx, request.newVolumeId ?? "");
  await behindState(ctx, kind, loaded, () => requireSwappable(parts, ctx, loaded, { old, fresh }));
  const input = { volumeId: old.id, newVolumeId: fresh.id };
  return (await acceptOn(parts, ctx, kind, request, { ...call, input })).operation;
}

/** What the body names is no address: it is refused as bad input. @throws INVALID_REQUEST */
async function newVolumeOf(parts: Parts, ctx: Call, volumeId: string): Promise<VolumeInfo> {
  try {
    return await visibleVolume(parts, ctx, volumeId);
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.kind !== "missing") throw error;
    throw VolumeAttachmentErrors.INVALID_REQUEST({ field: "new_volume_id", problem: error.message });
  }
}

/**
 * @throws VOLUME_ATTACHMENT_NOT_FOUND, VOLUME_NOT_SWAPPABLE, VOLUME_TOO_SMALL, MULTIATTACH_SWAP,
 *   VOLUME_ENCRYPTED
 */
async function requireSwappable(
  parts: Parts,
  ctx: Call,
  loaded: LoadedServer,
  { old, fresh }: { readonly old: VolumeInfo; readonly fresh: VolumeInfo },
): Promise<void> {
  const refused = (problem: string): Error => VolumeAttachmentErrors.VOLUME_NOT_SWAPPABLE({ problem });
  if (!old.attachments.some(({ serverId }) => serverId === loaded.server.id))
    throw refused("Old volume is attached to a different instance.");
  if (fresh.attachments.length > 0) throw refused("New volume must be detached in order to swap.");
  if (fresh.sizeGib < old.sizeGib) throw VolumeAttachmentErrors.VOLUME_TOO_SMALL({});
  if (old.attachments.length > 1) throw VolumeAttachmentErrors.MULTIATTACH_SWAP({});
  await volumeOf(parts, ctx, loaded, old.id);
  for (const { encrypted, volumeType, id: volume } of [old, fresh])
    if (encrypted) throw VolumeAttachmentErrors.VOLUME_ENCRYPTED({ type: volumeType || "encrypted", volume });
}
