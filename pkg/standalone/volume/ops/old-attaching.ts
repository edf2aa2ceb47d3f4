import type { Ctx } from "../../../kernel/index.js";
import { updateAttachment } from "../adapters/sql/attachments.js";
import { getVolume, updateVolume } from "../adapters/sql/volumes.js";
import type { Attachment } from "../domain/model.js";
import type { VolumeParts } from "../ports.js";
import { complete, connect, reserve } from "./attaching.js";

/**
 * Reserves for who has said so by `os-reserve`, which leaves the volume `attaching` and no attachment.
 * @throws VOLUME_NOT_FOUND, INVALID_VOLUME
 */
async function reserveAfter(
  parts: VolumeParts,
  ctx: Ctx,
  volumeId: string,
  wish: { readonly instanceUuid: string | null; readonly mode: Attachment["mode"] },
): Promise<Attachment> {
  const { db, clock } = parts;
  await db.write(ctx, "volume.reserved", async (tx) => {
    const volume = await getVolume(tx, ctx.actor, volumeId);
    if (volume.status === "attaching" && volume.attachments.length === 0)
      await updateVolume(tx, volumeId, { status: "available" }, clock.now());
  });
  return reserve(parts, ctx, { volumeId, ...wish });
}

/** `os-initialize_connection`: for those who use a volume without a server. Repeatable. */
export async function connectWithoutServer(
  parts: VolumeParts,
  ctx: Ctx,
  volumeId: string,
  connector: Readonly<Record<string, unknown>>,
): Promise<Attachment> {
  const volume = await parts.db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, volumeId));
  const known = volume.attachments.find(({ instanceUuid }) => instanceUuid === null);
  const { id } = known ?? (await reserveAfter(parts, ctx, volumeId, { instanceUuid: null, mode: null }));
  return connect(parts, ctx, id, connector);
}

/** `os-attach`: the volume is in use from now on, by a server or by nobody in particular. */
export async function attachNow(
  parts: VolumeParts,
  ctx: Ctx,
  volumeId: string,
  wish: {
    readonly instanceUuid: string | null;
    readonly mountpoint: string;
    readonly mode: Attachment["mode"];
  },
): Promise<void> {
  const { db } = parts;
  const volume = await db.statement(ctx, "volume.get", (tx) => getVolume(tx, ctx.actor, volumeId));
  const waiting = volume.attachments.find(
    ({ status, instanceUuid }) => status !== "attached" && instanceUuid === wish.instanceUuid,
  );
  const { id } = waiting ?? (await reserveAfter(parts, ctx, volumeId, wish));
  await db.write(ctx, "attachment.place", (tx) =>
    updateAttachment(tx, id, { mountpoint: wish.mountpoint, mode: wish.mode ?? "rw" }),
  );
  await complete(parts, ctx, id);
}
