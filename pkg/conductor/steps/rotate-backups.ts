import type { CreateBackupInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { KilonovaError, isRetryable } from "../../kernel/errors.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * Deletes the oldest backups of the server and type beyond those that stay. One that cannot be deleted, such
 * as a protected one, is left, as Nova leaves it.
 * @source nova compute manager: rotation of backups
 */
export const rotateBackups = ({ images }: Pick<Ports, "images">): Step<CreateBackupInput> => ({
  name: "rotate-backups",
  event: "compute_rotate_backups",
  timeoutMs: 600_000,
  async run({ ctx, server, input, operation }) {
    const backups = await images.listImages(ctx, {
      visibility: "all",
      owner: input.image?.owner ?? "",
      properties: { image_type: "backup", backup_type: input.backupType, instance_uuid: server.id },
      sort: "created_at:desc",
    });
    const deleted: string[] = [];
    for (const { id } of backups.filter(isOurs(input)).slice(input.rotation)) {
      try {
        await images.deleteImage(ctx, id);
        deleted.push(id);
      } catch (error) {
        if (!(error instanceof KilonovaError) || isRetryable(error)) throw error;
        ctx.log.info("backup.left", { operation: operation.name, image: id, reason: error.reason });
      }
    }
    return done({ deleted });
  },
});

/**
 * Properties can be written by anybody: images of other projects are not ours to delete, whatever they say.
 */
const isOurs =
  ({ image }: CreateBackupInput) =>
  ({ owner }: { readonly owner: string }): boolean =>
    owner === image?.owner;
