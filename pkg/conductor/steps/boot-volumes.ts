import type { Cinder, VolumeInfo } from "../../clients/cinder/ports.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { StepCall } from "../engine/kind.js";
import { isForsaken, untilNoneLeft } from "./look-again.js";

/** What volumes that are made with a server carry: which operation made them, and for which block device. */
const BOOT_OPERATION = "kilonova_boot";
export const BOOT_DEVICE = "kilonova_device";

/** More than a server may have disks. */
const MOST = 1_000;

const operationIdOf = ({ operation }: Pick<StepCall, "operation">): string =>
  parseOperationName(operation.name)?.operationId ?? "";

/** Metadata by which a volume is found again. */
export const bootMark = (call: Pick<StepCall, "operation">, deviceId: string): Record<string, string> => ({
  [BOOT_OPERATION]: operationIdOf(call),
  [BOOT_DEVICE]: deviceId,
});

/** Volumes that an operation has made for its server. @param operationId  this one unless told */
export async function volumesMade(
  call: Pick<StepCall, "ctx" | "operation" | "server">,
  cinder: Cinder,
  operationId = operationIdOf(call),
): Promise<readonly VolumeInfo[]> {
  const query = { metadata: { [BOOT_OPERATION]: operationId }, limit: MOST };
  // A service that goes by tokens alone has made them in the project of its caller.
  const lists = [
    await cinder.listVolumes(call.ctx, { ...query, projectId: call.server.projectId }),
    await cinder.listVolumes(call.ctx, query),
  ];
  return [...new Map(lists.flat().map((volume) => [volume.id, volume])).values()];
}

/**
 * Deletes the volumes that an operation has made, looking again until there is none: a creation that was
 * under way may have ended meanwhile. They have no attachments of their server any more. One that somebody
 * has put to use in between (a snapshot of it, another server) cannot be deleted, and stays behind; so does
 * one that the service does not come to an end with.
 * @param keeps  those that stay
 * @throws UNAVAILABLE while one cannot be deleted yet
 */
export async function removeMadeVolumes(
  call: Pick<StepCall, "ctx" | "operation" | "server" | "now">,
  cinder: Cinder,
  { operationId = operationIdOf(call), keeps = new Set<string>() }: MadeBy = {},
): Promise<void> {
  const stay = new Set(keeps);
  await untilNoneLeft(
    "The Block Storage service",
    async () => {
      const made = await volumesMade(call, cinder, operationId);
      return made.filter(({ id, status }) => !stay.has(id) && status !== "deleting");
    },
    async (found) => {
      for (const volume of found) if (!(await isRemoved(call, cinder, volume))) stay.add(volume.id);
    },
  );
}

/** Which of the things that operations have made are meant. */
export interface MadeBy {
  readonly operationId?: string;
  readonly keeps?: ReadonlySet<string>;
}

/** Work on a volume that ends by itself; only then it can be deleted. */
const AT_WORK: ReadonlySet<string> = new Set([
  ...["creating", "downloading", "extending", "uploading", "backing-up", "restoring-backup", "retyping"],
]);

/**
 * @param volume  as it was just before
 * @returns whether it is deleted, or going to be; false when somebody uses it
 */
async function isRemoved(
  call: Pick<StepCall, "ctx" | "server" | "now">,
  cinder: Cinder,
  volume: VolumeInfo,
): Promise<boolean> {
  const { ctx, server } = call;
  try {
    await cinder.deleteVolume(ctx, volume.id);
    return true;
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.kind !== "invalid") throw error;
    if (AT_WORK.has(volume.status) && !isForsaken(call, volume.createdAt))
      throw CommonErrors.UNAVAILABLE({ what: "A volume that is still being made" }, { cause: error });
    ctx.log.warn("server.volume.left-behind", { instanceUuid: server.id, volumeId: volume.id, error });
    return false;
  }
}
