import type { SwapVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { KilonovaError } from "../../kernel/errors.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * Does nothing but to be undone last: then both volumes are again as they were, and the Block Storage service
 * hears that its migration has failed. It may have given up by itself, and the new volume may be gone.
 */
export const reportFailedMigration = ({ cinder }: Pick<Ports, "cinder">): Step<SwapVolumeInput> => ({
  name: "report-failed-migration",
  unfenced: true,
  event: "",
  timeoutMs: 60_000,
  run: async () => done(),
  async undo({ ctx, input, server }) {
    const { volumeId, newVolumeId } = input;
    try {
      const { migrationStatus } = await cinder.getVolume(ctx, volumeId);
      if (migrationStatus) await cinder.migrateVolumeCompletion(ctx, volumeId, newVolumeId, true);
    } catch (error) {
      if (!(error instanceof KilonovaError) || !OVER.has(error.kind)) throw error;
      ctx.log.warn("server.volume.migration-not-ended", { instanceUuid: server.id, volumeId, error });
    }
    return undefined;
  },
});

/** What another attempt would not change. */
const OVER: ReadonlySet<string> = new Set(["missing", "invalid", "refused"]);
