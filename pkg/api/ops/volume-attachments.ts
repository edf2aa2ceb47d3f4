import {
  AttachVolumeRequest,
  DetachVolumeRequest,
  VolumeAttachment,
} from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type {
  AttachVolumeResponse,
  DetachVolumeResponse,
  GetVolumeAttachmentRequest,
  GetVolumeAttachmentResponse,
  ListVolumeAttachmentsRequest,
  ListVolumeAttachmentsResponse,
} from "../../../gen/kilonova/api/v1/volume_attachments_service.js";
import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Operation } from "../../../gen/kilonova/type/v1/operation.js";
import type { VolumeInfo } from "../../clients/cinder/ports.js";
import { parseUuid, remainingMs } from "../../kernel/index.js";
import { anyOperation } from "../../model/operation-declaration.js";
import attachKind from "../../model/operations/attach-volume.js";
import detachKind from "../../model/operations/detach-volume.js";
import { vmStateWord } from "../../model/instance-states.js";
import { fittingRows } from "../../model/page-bytes.js";
import { durationMs } from "../../model/wire-time.js";
import type { LoadedServer } from "../cells/servers.js";
import { sealedPaging } from "../crypto/page-tokens.js";
import { rowsOf } from "../domain/page.js";
import { ApiErrors, VolumeAttachmentErrors } from "../errors.js";
import type { Parts } from "../parts.js";
import type { Guarded } from "../rights/guarded.js";
import { guarded } from "../rights/guarded.js";
import type { Call } from "../rights/rights.js";
import { clientToken, id, paging, tag, uuid } from "../shape/common.js";
import { given, optional, text } from "../shape/shape.js";
import { devicesOf, placeOf, presentVolume, volumeOf, volumesOf } from "../volumes/devices.js";
import { visibleVolume } from "../volumes/visible-volume.js";
import { beginWith, whileItChanges } from "./begin-operation.js";
import { behindState } from "./behind-state.js";
import { theOperation } from "./read-operation.js";
import { endOfWait, timeout } from "./wait-operation.js";

/** @source Nova's block_device.match_device */
const device = text({
  min: 1,
  max: 255,
  pattern: /^\/dev\/x?[a-z]?d?[a-z]+\d*$/,
  hint: "must be the path of a disk, such as /dev/vdb",
});

/** Lists a server's volumes. */
export const listVolumeAttachments = (
  parts: Parts,
): Guarded<ListVolumeAttachmentsRequest, ListVolumeAttachmentsResponse> =>
  guarded({ ...paging, serverId: id }, parts.servers.about(), async (ctx, request, loaded) => {
    const pages = sealedPaging(parts.tokens, ["volumes", loaded.server.id]);
    const after = pages.open(request.pageToken);
    const volumes = (await volumesOf(parts, ctx, loaded)).filter((one) => placeOf(one) > after);
    const rows = volumes.slice(0, rowsOf(request.pageSize));
    const page = fittingRows(rows, (row) => VolumeAttachment.encode(presentVolume(row)).finish().length);
    const last = page.at(-1);
    return {
      volumeAttachments: page.map((one) => presentVolume(one)),
      nextPageToken: last !== undefined && page.length < volumes.length ? pages.seal(placeOf(last)) : "",
    };
  });

/** Reads one volume of a server. */
export const getVolumeAttachment = (
  parts: Parts,
): Guarded<GetVolumeAttachmentRequest, GetVolumeAttachmentResponse> =>
  guarded({ serverId: id, volumeId: id }, parts.servers.about(), async (ctx, { volumeId }, loaded) => ({
    volumeAttachment: presentVolume(await volumeOf(parts, ctx, loaded, volumeId)),
  }));

/** Begins to attach a volume. */
export const attachVolume = (parts: Parts): Guarded<AttachVolumeRequest, AttachVolumeResponse> =>
  guarded(
    {
      serverId: id,
      clientToken,
      volumeId: uuid,
      device: given(device),
      tag: given(tag),

      wait: optional(timeout),
    },
    parts.servers.about(),
    async (ctx, request, loaded) => {
      requireShown(request, loaded, attachKind.action);
      const kind = anyOperation(attachKind);
      const body = AttachVolumeRequest.encode({ ...request, clientToken: "", wait: undefined }).finish();
      const asking = { request, call: { method: "AttachVolume", body } };
      const { operation } = await whileItChanges(parts, ctx, loaded, (now) =>
        beginWith(parts, ctx, kind, asking, () =>
          behindState(ctx, kind, now, async () => ({
            input: {
              ...inputOf(request, await attachableVolume(parts, ctx, request, now)),
              offloaded: isOffloaded(now.server),
            },
            ...asFound(now),
          })),
        ),
      );
      const asked = asAsked(request, loaded.server.id);
      if (request.wait === undefined) return { operation, volumeAttachment: asked };
      const endMs = endOfWait(parts, ctx, durationMs(request.wait));
      const { now, attachment } = await untilReserved(parts, ctx, { loaded, operation, endMs });
      return { operation: now, volumeAttachment: attachment ?? asked };
    },
  );

/** Begins to detach a volume. */
export const detachVolume = (parts: Parts): Guarded<DetachVolumeRequest, DetachVolumeResponse> =>
  guarded(
    { serverId: id, clientToken, volumeId: id },
    parts.servers.about(),
    async (ctx, request, loaded) => {
      requireShown(request, loaded, detachKind.action);
      const kind = anyOperation(detachKind);
      const body = DetachVolumeRequest.encode({ ...request, clientToken: "" }).finish();
      const asking = { request, call: { method: "DetachVolume", body } };
      const { operation } = await whileItChanges(parts, ctx, loaded, (now) =>
        beginWith(parts, ctx, kind, asking, async () => {
          const volume = await visibleVolume(parts, ctx, request.volumeId);
          const { bootIndex } = await volumeOf(parts, ctx, now, volume.id);
          if (bootIndex === 0) throw VolumeAttachmentErrors.ROOT_VOLUME({});
          await behindState(ctx, kind, now, () => requireDetachable(parts, ctx, { volume, loaded: now }));
          return {
            input: { volumeId: volume.id, offloaded: isOffloaded(now.server) },
            ...asFound(now),
          };
        }),
      );
      return { operation };
    },
  );

const isOffloaded = ({ vmState }: LoadedServer["server"]): boolean =>
  vmState === VmState.VM_STATE_SHELVED_OFFLOADED;

const isShelved = (server: LoadedServer["server"]): boolean =>
  server.vmState === VmState.VM_STATE_SHELVED || isOffloaded(server);

/**
 * A shelved server may leave its host at any moment, or come back: what is asked of it is judged by where it
 * is. Of others nothing is said: many may be asking at once.
 */
const asFound = ({ server }: LoadedServer): { readonly expectedGeneration?: bigint } =>
  isShelved(server) ? { expectedGeneration: server.generation } : {};

/** @throws INVALID_STATE */
function requireShown(
  { refuseShelved }: { readonly refuseShelved: boolean },
  { server }: LoadedServer,
  method: string,
): void {
  if (refuseShelved && isShelved(server))
    throw ApiErrors.INVALID_STATE({
      server: server.id,
      method,
      attr: "vm_state",
      state: vmStateWord(server.vmState),
    });
}

/**
 * @throws VOLUME_NOT_FOUND, VOLUME_ALREADY_ATTACHED, TAG_WHILE_OFFLOADED, MULTIATTACH_WHILE_OFFLOADED,
 *   MULTIATTACH_NOT_SUPPORTED, VOLUME_ENCRYPTED
 */
async function attachableVolume(
  parts: Parts,
  ctx: Call,
  { volumeId, tag: label, refuseMultiattach }: AttachVolumeRequest,
  loaded: LoadedServer,
): Promise<VolumeInfo> {
  const volume = await visibleVolume(parts, ctx, volumeId);
  const others = volume.attachments.map(({ serverId }) => serverId);
  if (!volume.multiattach && others.length > 0)
    throw VolumeAttachmentErrors.VOLUME_ALREADY_ATTACHED({
      volume: volume.id,
      problem: `volume ${volume.id} is already attached to instances: ${others.join(" ")}`,
    });
  const devices = await devicesOf(parts, ctx, loaded);
  if (devices.some((device) => device.volumeId === volume.id))
    throw VolumeAttachmentErrors.VOLUME_ALREADY_ATTACHED({
      volume: volume.id,
      problem: `volume ${volume.id} already attached`,
    });
  if (isOffloaded(loaded.server)) {
    // What its next host can, nobody knows.
    if (label !== undefined) throw VolumeAttachmentErrors.TAG_WHILE_OFFLOADED({});
    if (volume.multiattach) throw VolumeAttachmentErrors.MULTIATTACH_WHILE_OFFLOADED({});
  }
  if (volume.multiattach && refuseMultiattach) throw VolumeAttachmentErrors.MULTIATTACH_NOT_SUPPORTED({});
  if (volume.encrypted)
    throw VolumeAttachmentErrors.VOLUME_ENCRYPTED({
      type: volume.volumeType || "encrypted",
      volume: volume.id,
    });
  return volume;
}

const inputOf = (
  { device: wanted, tag: label, deleteOnTermination }: AttachVolumeRequest,
  { id: volumeId, sizeGib }: VolumeInfo,
): Partial<AttachVolumeInput> => ({
  volumeId,
  device: wanted ?? "",
  tag: label ?? "",
  deleteOnTermination,
  sizeMib: BigInt(sizeGib) * MIB_PER_GIB,
});

/** @throws HOST_DOWN, VOLUME_NOT_DETACHABLE */
async function requireDetachable(
  parts: Parts,
  ctx: Call,
  { volume, loaded: { server, database } }: { readonly volume: VolumeInfo; readonly loaded: LoadedServer },
): Promise<void> {
  const host = server.hostInfo?.host ?? "";
  if (host !== "" && (await parts.directory.of(ctx, database)).byHost.get(host)?.up === false)
    throw VolumeAttachmentErrors.HOST_DOWN({});
  // Off its host, the server's volumes are only reserved.
  if (volume.status !== "in-use" && !isOffloaded(server))
    throw VolumeAttachmentErrors.VOLUME_NOT_DETACHABLE({});
}

const asAsked = (
  { volumeId, device: wanted, tag: label, deleteOnTermination }: AttachVolumeRequest,
  serverId: string,
): VolumeAttachment => ({
  volumeId: parseUuid(volumeId) ?? volumeId,
  serverId,
  device: wanted,
  tag: label,
  deleteOnTermination,
  attachmentId: "",
  blockDeviceId: "",
});

const MIB_PER_GIB = 1024n;
/** Between two looks; reserving takes one call to another service. */
const LOOK_MS = 100;

/** Waits until the operation has reserved the volume, or has ended. @param endMs  on the monotonic clock */
async function untilReserved(
  parts: Parts,
  ctx: Call,
  {
    loaded,
    operation,
    endMs,
  }: { readonly loaded: LoadedServer; readonly operation: Operation; readonly endMs: number },
): Promise<{ readonly now: Operation; readonly attachment: VolumeAttachment | undefined }> {
  // It has the operation's id for its own.
  const deviceId = operation.name.split("/").at(-1) ?? "";
  for (;;) {
    const devices = await devicesOf(parts, ctx, loaded);
    const found = devices.find((one) => one.id === deviceId && one.attachmentId !== "");
    const { operation: now } = await theOperation(parts)(ctx, operation);
    const leftMs = Math.min(endMs - parts.clock.monotonicMs(), remainingMs(ctx));
    if (found !== undefined || now.done || leftMs <= 0)
      return { now, attachment: found === undefined ? undefined : presentVolume(found) };
    await parts.clock.sleep(Math.min(LOOK_MS, leftMs), ctx.signal);
  }
}
