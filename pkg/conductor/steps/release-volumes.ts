import { KilonovaError } from "../../kernel/errors.js";
import attachVolume from "../../model/operations/attach-volume.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { endAttachments } from "./attachments.js";
import { victimsOf } from "./victim.js";
import { devicesOf } from "./volume-devices.js";

/**
 * Ends all attachments of a server that goes, and deletes the volumes that go with it. One that cannot be
 * deleted stays behind, as with Nova. Nothing is asked of a Block Storage service when the server has had no
 * volume. The victims' own steps have come to rest.
 */
export async function releaseVolumes(
  call: StepCall,
  ports: Pick<Ports, "cinder" | "records">,
): Promise<void> {
  const volumes = (await devicesOf(call, ports)).filter(({ volumeId }) => volumeId !== "");
  const wasAttaching = victimsOf(call).some(({ kind }) => kind === attachVolume.kind);
  if (volumes.length === 0 && !wasAttaching) return;
  if (!(await ports.cinder.configured(call.ctx))) return;
  await endAttachments(call, ports, new Set(volumes.map(({ volumeId }) => volumeId)));
  for (const { volumeId } of volumes.filter(({ deleteOnTermination }) => deleteOnTermination))
    await deleteVolume(call, ports, volumeId);
}

/** What ends by itself; whatever else the service says, the server's end does not wait for it. */
const PASSING: ReadonlySet<string> = new Set(["unavailable", "deadline", "cancelled", "unauthenticated"]);

async function deleteVolume(
  { ctx, server }: StepCall,
  { cinder }: Pick<Ports, "cinder">,
  volumeId: string,
): Promise<void> {
  try {
    await cinder.deleteVolume(ctx, volumeId);
  } catch (error) {
    if (!(error instanceof KilonovaError) || PASSING.has(error.kind)) throw error;
    ctx.log.warn("server.volume.left-behind", { instanceUuid: server.id, volumeId, error });
  }
}
