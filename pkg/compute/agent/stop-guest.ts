import type { Ctx } from "../../kernel/index.js";
import type { CommandHost } from "../commands/command.js";
import powerOffGuest from "../commands/power-off-guest.js";
import { untold } from "../driver.js";
import type { Commands } from "./commands.js";
import type { GuestReport } from "./guest-watch.js";

export interface StopGuestDeps {
  readonly own: CommandHost;
  readonly commands: Pick<Commands, "finish">;
  /** Takes the guest's state after it. */
  readonly note: (serverId: string, report: GuestReport) => void;
}

/** As long as a guest gets that its user stops. @source nova.conf shutdown_timeout */
const SOFT_TIMEOUT_MS = 60_000;

/**
 * Ends a guest that runs although its server is stopped, as the cell has decided: asked first, then without
 * asking. A command that came meanwhile is newer than the cell's word, and wins.
 * @param fence  of the last operation on the server by its record
 * @source nova manager.py _sync_instance_power_state (force_stop)
 */
export async function stopGuest(
  ctx: Ctx,
  { own, commands, note }: StopGuestDeps,
  { serverId, fence }: { readonly serverId: string; readonly fence: bigint },
): Promise<void> {
  const done = await commands.finish(ctx, { serverId, fence, lane: "life" }, async (c) => {
    const call = { ctx: c, serverId, host: own, tell: untold };
    const { powerState } = await powerOffGuest.run(call, { softTimeoutMs: SOFT_TIMEOUT_MS });
    note(serverId, { state: powerState, byGuest: false });
  });
  if (done) ctx.log.info("agent.guest.stopped", { instanceUuid: serverId });
}
