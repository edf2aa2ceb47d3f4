import type { AttachmentInfo } from "../../clients/cinder/ports.js";
import { CommonErrors } from "../../kernel/errors.js";
import type { StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";

type Call = Pick<StepCall, "ctx" | "server">;
type VolumePorts = Pick<Ports, "cinder">;

const SWEEPS = 4;

/** Who looks at a volume's attachments, and whether anybody can be at the same. */
type Holder = Pick<StepCall, "ctx" | "server" | "firstStart">;

/**
 * Sees to it that a server has exactly one attachment of a volume, and that it is not connected to any host.
 * The new one comes first: the volume is nobody else's in between. Repeatable.
 * @returns its id
 * @throws VOLUME_INVALID when somebody else has the volume, VOLUME_NOT_FOUND
 */
export const reservedAgain = (call: Holder, ports: VolumePorts, volumeId: string): Promise<string> =>
  onlyOne(call, ports, volumeId, ["reserved"]);

/**
 * As `reservedAgain`, for whoever connects the host once more: an attachment at which that was cut short will
 * do. The service makes no other beside it.
 */
export const heldAgain = (call: Holder, ports: VolumePorts, volumeId: string): Promise<string> =>
  onlyOne(call, ports, volumeId, ["reserved", "attaching"]);

/**
 * A conductor that was taken for dead may be at the same, and no fence holds it back. Where nobody can say
 * that it is not so, one looks again after making one: both then keep the same one.
 * @param fit  states of an attachment that may stay
 * @cost three requests on a first start, four on others
 */
async function onlyOne(
  { ctx, server, firstStart }: Holder,
  { cinder }: VolumePorts,
  volumeId: string,
  fit: readonly AttachmentInfo["status"][],
): Promise<string> {
  const attachment = { volumeId, serverId: server.id };
  let found = await cinder.listAttachments(ctx, attachment);
  let kept = firstFit(found, fit);
  if (kept === undefined) {
    ctx.signal.throwIfAborted();
    kept = (await cinder.createAttachment(ctx, attachment)).id;
    if (!firstStart) {
      found = await cinder.listAttachments(ctx, attachment);
      kept = firstFit(found, fit) ?? kept;
    }
  }
  for (const { id } of found) {
    ctx.signal.throwIfAborted();
    if (id !== kept) await cinder.deleteAttachment(ctx, id);
  }
  return kept;
}

/** The same one for everybody who looks. */
const firstFit = (
  found: readonly AttachmentInfo[],
  fit: readonly AttachmentInfo["status"][],
): string | undefined =>
  found
    .filter(({ status }) => fit.includes(status))
    .map(({ id }) => id)
    .sort()[0];

/** Others' attachments that are ended in one sweep. */
const MOST_OF_OTHERS = 64;

/**
 * Ends all attachments of a server. Looks again until there is none: one may have been under way.
 * @param own  volumes that the server is known to have. Everybody may name any server in an attachment of a
 *   volume of his own: with `own` given, nobody waits for attachments of other volumes to come to an end.
 */
export const endAttachments = (call: Call, ports: VolumePorts, own?: ReadonlySet<string>): Promise<void> =>
  endAll(call, ports, {}, own);

/** As `endAttachments`, those of one volume. */
export const endAttachmentsOf = (call: Call, ports: VolumePorts, volumeId: string): Promise<void> =>
  endAll(call, ports, { volumeId });

async function endAll(
  { ctx, server }: Call,
  { cinder }: VolumePorts,
  of: { readonly volumeId?: string },
  own?: ReadonlySet<string>,
): Promise<void> {
  const isOwn = ({ volumeId }: AttachmentInfo): boolean => own?.has(volumeId) ?? true;
  /** Somebody's own storage may refuse for ever. */
  const left = (error: unknown): void => {
    ctx.signal.throwIfAborted();
    ctx.log.debug("server.attachment.left", { instanceUuid: server.id, error });
  };
  let ownWereLeft = true;
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const found = await cinder.listAttachments(ctx, { ...of, serverId: server.id });
    if (found.length === 0) return;
    const others = found.filter((one) => !isOwn(one)).slice(0, MOST_OF_OTHERS);
    const ours = found.filter(isOwn);
    for (const { id } of ours) await cinder.deleteAttachment(ctx, id);
    for (const { id } of others) await cinder.deleteAttachment(ctx, id).catch(left);
    ownWereLeft = ours.length > 0;
  }
  if (ownWereLeft) throw CommonErrors.UNAVAILABLE({ what: "The Block Storage service" });
  ctx.log.warn("server.attachments.of-others", { instanceUuid: server.id });
}
