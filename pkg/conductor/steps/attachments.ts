import type { AttachmentInfo } from "../../clients/cinder/ports.js";
import { CommonErrors } from "../../kernel/errors.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";

type Call = Pick<StepCall, "ctx" | "server">;
type VolumePorts = Pick<Ports, "cinder">;

const SWEEPS = 4;

/**
 * Sees to it that a server has exactly one attachment of a volume, and that it is not connected to any host.
 * The new one comes first: the volume is nobody else's in between. Repeatable.
 * @returns its id
 * @throws VOLUME_INVALID when somebody else has the volume, VOLUME_NOT_FOUND
 */
export async function reservedAgain(call: Call, ports: VolumePorts, volumeId: string): Promise<string> {
  const { ctx, server } = call;
  const attachment = { volumeId, serverId: server.id };
  const found = await ports.cinder.listAttachments(ctx, attachment);
  const kept = found.find(isOnlyReserved) ?? (await ports.cinder.createAttachment(ctx, attachment));
  for (const { id } of found) if (id !== kept.id) await ports.cinder.deleteAttachment(ctx, id);
  return kept.id;
}

const isOnlyReserved = ({ status }: AttachmentInfo): boolean => status === "reserved";

/** Ends all attachments of a server. Looks again until there is none: one may have been under way. */
export const endAttachments = (call: Call, ports: VolumePorts): Promise<void> => endAll(call, ports, {});

/** As `endAttachments`, those of one volume. */
export const endAttachmentsOf = (call: Call, ports: VolumePorts, volumeId: string): Promise<void> =>
  endAll(call, ports, { volumeId });

async function endAll(
  { ctx, server }: Call,
  { cinder }: VolumePorts,
  of: { readonly volumeId?: string },
): Promise<void> {
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const found = await cinder.listAttachments(ctx, { ...of, serverId: server.id });
    if (found.length === 0) return;
    for (const { id } of found) await cinder.deleteAttachment(ctx, id);
  }
  throw CommonErrors.UNAVAILABLE({ what: "The Block Storage service" });
}
