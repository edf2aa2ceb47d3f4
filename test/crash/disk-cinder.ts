import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { AttachmentInfo, Cinder, SnapshotInfo, VolumeInfo } from "../../pkg/clients/cinder/ports.js";
import { fakeCinder } from "../../pkg/clients/cinder/testing/fake-cinder.js";

export const VOLUME = "a0000000-0000-4000-8000-000000000001";
/** To which the first one migrates, once somebody copies it. */
export const NEW_VOLUME = "a0000000-0000-4000-8000-000000000002";

interface Stored {
  readonly volumes: readonly VolumeInfo[];
  readonly attachments: readonly AttachmentInfo[];
  readonly snapshots: readonly SnapshotInfo[];
}

/**
 * A Block Storage service of its own process, as far as the killed one can tell: every change is on disk
 * before it is answered.
 */
export function diskCinder(
  path: string,
): Cinder & Pick<ReturnType<typeof fakeCinder>, "volumes" | "attachments" | "snapshots"> {
  const fake = fakeCinder();
  const stored: Stored | undefined = existsSync(path)
    ? (JSON.parse(readFileSync(path, "utf8")) as Stored)
    : undefined;
  const unused = [{ id: VOLUME, migrationStatus: "migrating" }, { id: NEW_VOLUME }];
  const none = { snapshotId: undefined, sourceVolumeId: undefined, serviceUuid: undefined };
  for (const volume of stored?.volumes ?? unused) fake.addVolume({ ...none, ...volume });
  for (const attachment of stored?.attachments ?? [])
    fake.addAttachment({ ...attachment, connectionInfo: attachment.connectionInfo });
  for (const snapshot of stored?.snapshots ?? []) fake.addSnapshot(snapshot);
  const saved = async <T>(change: Promise<T>): Promise<T> => {
    const result = await change;
    const now: Stored = {
      volumes: [...fake.volumes.values()].map((volume) => ({ ...volume, createdAt: undefined })),
      attachments: [...fake.attachments.values()],
      snapshots: [...fake.snapshots.values()].map((snapshot) => ({ ...snapshot, createdAt: undefined })),
    };
    writeFileSync(path, JSON.stringify(now));
    return result;
  };
  return {
    ...fake,
    createVolume: (ctx, volume) => saved(fake.createVolume(ctx, volume)),
    deleteVolume: (ctx, id) => saved(fake.deleteVolume(ctx, id)),
    createAttachment: (ctx, attachment) => saved(fake.createAttachment(ctx, attachment)),
    updateAttachment: (ctx, id, connector) => saved(fake.updateAttachment(ctx, id, connector)),
    completeAttachment: (ctx, id) => saved(fake.completeAttachment(ctx, id)),
    deleteAttachment: (ctx, id) => saved(fake.deleteAttachment(ctx, id)),
    beginDetaching: (ctx, id) => saved(fake.beginDetaching(ctx, id)),
    rollDetaching: (ctx, id) => saved(fake.rollDetaching(ctx, id)),
    migrateVolumeCompletion: (ctx, oldId, newId, error) =>
      saved(fake.migrateVolumeCompletion(ctx, oldId, newId, error)),
    createSnapshot: (ctx, snapshot) => saved(fake.createSnapshot(ctx, snapshot)),
    deleteSnapshot: (ctx, id) => saved(fake.deleteSnapshot(ctx, id)),
    reimage: (ctx, id, image, reserved) => saved(fake.reimage(ctx, id, image, reserved)),
  };
}
