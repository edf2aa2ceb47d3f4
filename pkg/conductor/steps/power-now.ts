import { asKilonovaError } from "../../kernel/errors.js";
import type { Change, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";

/**
 * What the hypervisor says of the guest, for the record of an operation that failed half-way. A host that
 * does not answer tells it by itself, later.
 */
export async function powerNow(
  { ctx, database, server }: StepCall,
  { agents }: Pick<Ports, "agents">,
): Promise<Change | undefined> {
  const host = server.hostInfo?.host ?? "";
  try {
    const agent = await agents.at(ctx, { cell: database, host });
    const { powerState } = await agent.inspectGuest(ctx, { host, serverId: server.id });
    return { set: { powerState } };
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.warn("guest.power-unknown", { instanceUuid: server.id, reason: asKilonovaError(error).reason });
    return undefined;
  }
}
