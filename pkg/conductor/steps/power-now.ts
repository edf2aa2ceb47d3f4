import { asKilonovaError } from "../../kernel/errors.js";
import type { Change, StepCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { hostOf } from "./host-of.js";

/**
 * What the hypervisor says of the guest, for the record of an operation that failed half-way. A host that
 * does not answer tells it by itself, later.
 */
export async function powerNow(
  call: StepCall,
  { agents }: Pick<Ports, "agents">,
): Promise<Change | undefined> {
  const { ctx, database, server } = call;
  const host = hostOf(call);
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
