import type { Cinder, SnapshotInfo } from "../../clients/cinder/ports.js";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { parseOperationName } from "../../model/operation-name.js";
import type { StepCall } from "../engine/kind.js";
import type { MadeBy } from "./boot-volumes.js";
import { isForsaken, untilNoneLeft } from "./look-again.js";

/** What snapshots carry that belong to an image: which operation made them, and of which block device. */
const IMAGE_OPERATION = "kilonova_image";
export const SNAPSHOT_DEVICE = "kilonova_device";

const operationIdOf = ({ operation }: Pick<StepCall, "operation">): string =>
  parseOperationName(operation.name)?.operationId ?? "";

/** Metadata by which a snapshot is found again. */
export const snapshotMark = (
  call: Pick<StepCall, "operation">,
  deviceId: string,
): Record<string, string> => ({
  [IMAGE_OPERATION]: operationIdOf(call),
  [SNAPSHOT_DEVICE]: deviceId,
});

/** Snapshots of volumes that an operation has made. @param operationId  this one unless told */
export async function snapshotsMade(
  call: Pick<StepCall, "ctx" | "operation">,
  cinder: Cinder,
  volumeIds: Iterable<string>,
  operationId = operationIdOf(call),
): Promise<readonly SnapshotInfo[]> {
  const found: SnapshotInfo[] = [];
  for (const volumeId of new Set(volumeIds)) {
    const all = await cinder.listSnapshots(call.ctx, { volumeId });
    found.push(...all.filter(({ metadata }) => metadata[IMAGE_OPERATION] === operationId));
  }
  return found;
}

/**
 * Deletes the snapshots that an operation has made, looking again until there is none: one that was under way
 * may have been made meanwhile. One that volumes hang on stays, and so does one that does not come to an end.
 * @param keeps  those that stay
 * @throws UNAVAILABLE while one is being made
 */
export async function removeMadeSnapshots(
  call: Pick<StepCall, "ctx" | "operation" | "now">,
  cinder: Cinder,
  volumeIds: readonly string[],
  { operationId = operationIdOf(call), keeps = new Set<string>() }: MadeBy = {},
): Promise<void> {
  const kept = new Set(keeps);
  const remove = async ({ id, status, createdAt }: SnapshotInfo): Promise<void> => {
    try {
      await cinder.deleteSnapshot(call.ctx, id);
    } catch (error) {
      if (!(error instanceof KilonovaError) || error.kind !== "invalid") throw error;
      if (status === "creating" && !isForsaken(call, createdAt))
        throw CommonErrors.UNAVAILABLE({ what: "A snapshot that is still being made" }, { cause: error });
      call.ctx.log.warn("snapshot.left-behind", { operation: call.operation.name, snapshot: id, error });
      kept.add(id);
    }
  };
  await untilNoneLeft(
    "The Block Storage service",
    async () => {
      const made = await snapshotsMade(call, cinder, volumeIds, operationId);
      return made.filter(({ id, status }) => status !== "deleting" && !kept.has(id));
    },
    async (found) => {
      for (const one of found) await remove(one);
    },
  );
}
