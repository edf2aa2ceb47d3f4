import type { Actor, Ctx } from "../../../kernel/index.js";
import {
  deleteAttachment,
  getAttachment,
  insertAttachment,
  updateAttachment,
} from "../adapters/sql/attachments.js";
import { findVolume, getVolume, updateVolume } from "../adapters/sql/volumes.js";
import type { Attachment } from "../domain/model.js";
import { demandConnectable, statusOfAttachments, statusOnAttachment } from "../domain/states.js";
import { E } from "../errors.js";
import type { VolumeParts } from "../ports.js";

type Connector = Readonly<Record<string, unknown>>;
type Mode = Attachment["mode"];

const text = (connector: Connector, name: string): string | undefined => {
  const value = connector[name];
  return typeof value === "string" ? value : undefined;
};

/**
 * Reserves a volume for a server, or for nobody in particular.
 * @throws VOLUME_NOT_FOUND, INVALID_VOLUME
 */
export async function reserve(
  { db, clock, ids }: VolumeParts,
  ctx: Ctx,
  wish: { readonly volumeId: string; readonly instanceUuid: string | null; readonly mode: Mode },
): Promise<Attachment> {
  const id = ids.uuid();
  return db.write(ctx, "attachment.create", async (tx) => {
    const volume = await getVolume(tx, ctx.actor, wish.volumeId);
    const status = statusOnAttachment(volume, wish.instanceUuid);
    await updateVolume(tx, volume.id, { status }, clock.now());
    const attachment: Attachment = {
      id,
      volumeId: volume.id,
      projectId: volume.projectId,
      instanceUuid: wish.instanceUuid,
      status: "reserved",
      mode: volume.readOnly ? "ro" : wish.mode,
      mountpoint: null,
      connector: null,
      connectionInfo: null,
      attachedAt: null,
      createdAt: clock.now(),
    };
    await insertAttachment(tx, attachment);
    return attachment;
  });
}

/**
 * Serves the volume to a host, and records that. What a crash leaves served without a record is ended by the
 * next start. Repeatable.
 * @throws ATTACHMENT_NOT_FOUND, RESOURCE_CONFLICT
 */
export async function connect(
  parts: VolumeParts,
  ctx: Ctx,
  attachmentId: string,
  connector: Connector,
): Promise<Attachment> {
  const { db, clock, storage } = parts;
  const wish = await db.read(ctx, "attachment.get", (tx) => getAttachment(tx, ctx.actor, attachmentId));
  const volumeOf = wish.volumeId;
  const readOnly = (wish.mode ?? text(connector, "mode")) === "ro";
  await db.read(ctx, "attachment.check", async (tx) =>
    demandConnectable(await getVolume(tx, ctx.actor, volumeOf), attachmentId),
  );
  const at = await storage.serve(ctx, { volumeId: volumeOf, attachmentId, readOnly });
  try {
    return await db.write(ctx, "attachment.connect", async (tx) => {
      const attachment = await getAttachment(tx, ctx.actor, attachmentId);
      const volume = await getVolume(tx, ctx.actor, volumeOf);
      demandConnectable(volume, attachmentId);
      const edits = {
        status: "attaching" as const,
        mode: readOnly ? ("ro" as const) : ("rw" as const),
        mountpoint: text(connector, "mountpoint") ?? null,
        connector,
        connectionInfo: {
          driver_volume_type: "nbd",
          unix: at.socket,
          export: at.exportName,
          access_mode: readOnly ? "ro" : "rw",
          encrypted: false,
          multiattach: volume.multiattach,
          attachment_id: attachmentId,
          volume_id: volume.id,
          cacheable: false,
          qos_specs: null,
        },
      };
      await updateAttachment(tx, attachmentId, edits);
      await updateVolume(tx, volume.id, { status: "attaching" }, clock.now());
      return { ...attachment, ...edits };
    });
  } catch (error) {
    await endUnrecorded(parts, ctx, volumeOf, attachmentId);
    throw error;
  }
}

/** What was served for an attachment that did not come to be connected. */
async function endUnrecorded(
  { db, storage }: VolumeParts,
  ctx: Ctx,
  volumeId: string,
  attachmentId: string,
): Promise<void> {
  const volume = await db.read(ctx, "attachment.lost", (tx) => findVolume(tx, volumeId));
  const kept = volume?.attachments.find(({ id }) => id === attachmentId)?.connectionInfo ?? null;
  if (kept === null) await storage.endServing(ctx, volumeId, attachmentId);
}

/** The server has it. @throws ATTACHMENT_NOT_FOUND, INVALID_VOLUME */
export async function complete({ db, clock }: VolumeParts, ctx: Ctx, attachmentId: string): Promise<void> {
  await db.write(ctx, "attachment.complete", async (tx) => {
    const attachment = await getAttachment(tx, ctx.actor, attachmentId);
    await updateAttachment(tx, attachmentId, {
      status: "attached",
      attachedAt: attachment.attachedAt ?? clock.now(),
    });
    await updateVolume(tx, attachment.volumeId, { status: "in-use" }, clock.now());
  });
}

/**
 * Ends an attachment: whoever is connected is cut off.
 * @param byService  whether the request comes from a service of the cloud; users must ask Compute first
 * @returns what is left on the volume
 * @throws ATTACHMENT_NOT_FOUND, CONFLICT_NOVA_USING_ATTACHMENT
 */
export async function release(
  { db, clock, storage }: VolumeParts,
  ctx: Ctx,
  attachmentId: string,
  byService: boolean,
): Promise<readonly Attachment[]> {
  const attachment = await db.read(ctx, "attachment.get", (tx) => getAttachment(tx, ctx.actor, attachmentId));
  demandReleasable(attachment, byService);
  await storage.endServing(ctx, attachment.volumeId, attachmentId);
  return db.write(ctx, "attachment.delete", async (tx) => {
    const volume = await getVolume(tx, ctx.actor, attachment.volumeId);
    const left = volume.attachments.filter(({ id }) => id !== attachmentId);
    await deleteAttachment(tx, attachmentId);
    // A volume that is being worked on, or broken, stays so.
    const follows = ["in-use", "attaching", "detaching", "reserved"].includes(volume.status);
    if (follows) await updateVolume(tx, volume.id, { status: statusOfAttachments(left) }, clock.now());
    return left;
  });
}

/** Its status says nothing: whoever may connect it brings that back to attaching. */
function demandReleasable(
  { instanceUuid, connectionInfo, attachedAt }: Attachment,
  byService: boolean,
): void {
  if (byService || instanceUuid === null || connectionInfo === null || attachedAt === null) return;
  throw E.CONFLICT_NOVA_USING_ATTACHMENT({ server: instanceUuid });
}

/** Whether a service's token came along that is one. */
export const isService = (actor: Actor | undefined): boolean => actor?.roles.includes("service") ?? false;
