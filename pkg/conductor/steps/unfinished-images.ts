import type { Ctx } from "../../kernel/ctx.js";
import { KilonovaError } from "../../kernel/errors.js";
import {
  CreateBackupInput,
  CreateImageInput,
  ShelveInput,
} from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { parseOperationName } from "../../model/operation-name.js";
import createServerBackup from "../../model/operations/create-server-backup.js";
import createServerImage from "../../model/operations/create-server-image.js";
import shelveServer from "../../model/operations/shelve-server.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { removeMadeSnapshots } from "./volume-snapshots.js";
import { takeBackImage } from "./snapshot-image.js";
import { victimsOf } from "./victim.js";

/**
 * Removes the images that pre-empted operations were making, with the snapshots that they name. One that has
 * all its data stays: its owner has been told of it; but not that of a shelving, which goes with its server.
 * The victims' own steps have come to rest.
 */
export async function removeUnfinishedImages(
  call: StepCall,
  { images, cinder }: Pick<Ports, "images" | "cinder">,
): Promise<void> {
  for (const victim of victimsOf(call)) {
    const image = imageOf(victim);
    if (image === undefined) continue;
    const stays = victim.kind !== shelveServer.kind;
    if (stays && (await statusOf(call.ctx, images, image.imageId)) === "active") continue;
    await takeBackImage(call.ctx, images, image);
    const operationId = parseOperationName(victim.name)?.operationId ?? "";
    if (image.volumeBacked) await removeMadeSnapshots(call, cinder, image.volumeIds, { operationId });
  }
}

async function statusOf(ctx: Ctx, images: Ports["images"], imageId: string): Promise<string> {
  try {
    return (await images.getImage(ctx, imageId)).status;
  } catch (error) {
    if (error instanceof KilonovaError && error.kind === "missing") return "";
    throw error;
  }
}

function imageOf({ kind, input }: { readonly kind: string; readonly input: Uint8Array }) {
  if (kind === createServerImage.kind) return CreateImageInput.decode(input);
  if (kind === shelveServer.kind) return ShelveInput.decode(input).image;
  return kind === createServerBackup.kind ? CreateBackupInput.decode(input).image : undefined;
}
