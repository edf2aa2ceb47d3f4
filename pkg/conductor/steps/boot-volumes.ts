import type { Cinder, VolumeInfo } from "../../clients/cinder/ports.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { StepCall } from "../engine/kind.js";

/** What volumes that are made with a server carry: which operation made them, and for which block device. */
const BOOT_OPERATION = "kilonova_boot";
export const BOOT_DEVICE = "kilonova_device";

const SWEEPS = 4;
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
 * under way may have ended meanwhile. Nobody has used them: they have no attachments any more.
 * @param keeps  those that stay
 * @throws UNAVAILABLE while one cannot be deleted yet
 */
export async function removeMadeVolumes(
  call: Pick<StepCall, "ctx" | "operation" | "server">,
  cinder: Cinder,
  { operationId = operationIdOf(call), keeps = new Set<string>() }: MadeBy = {},
): Promise<void> {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const found = (await volumesMade(call, cinder, operationId)).filter(
      ({ id, status }) => !keeps.has(id) && status !== "deleting",
    );
    if (found.length === 0) return;
    for (const { id } of found) await remove(call, cinder, id);
  }
  throw CommonErrors.UNAVAILABLE({ what: "The Block Storage service" });
}

interface MadeBy {
  readonly operationId?: string;
  readonly keeps?: ReadonlySet<string>;
}

/** One that is still being made is in a state in which it cannot be deleted. */
async function remove({ ctx }: Pick<StepCall, "ctx">, cinder: Cinder, id: string): Promise<void> {
  try {
    await cinder.deleteVolume(ctx, id);
  } catch (error) {
    if (!(error instanceof KilonovaError) || error.kind !== "invalid") throw error;
    throw CommonErrors.UNAVAILABLE({ what: "A volume that is still being made" }, { cause: error });
  }
}
