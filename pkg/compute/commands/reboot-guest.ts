import { GuestOutput, RebootGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { AgentErrors } from "../errors.js";
import type { Command } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";
import { leaveRescue } from "./unrescue-guest.js";

/** Restarts a guest; a soft reboot that it does not follow becomes a hard one. */
const rebootGuest: Command<RebootGuestInput, GuestOutput> = {
  name: "reboot-guest",
  input: RebootGuestInput,
  output: GuestOutput,
  whenGivenUp: "stops",
  async run(call, { instance, hard, softTimeoutMs }) {
    const { ctx, serverId, host } = call;
    if (!(await host.driver.inspect(ctx, serverId))) throw AgentErrors.GUEST_NOT_FOUND({ serverId });
    const record = recordOf(serverId, instance);
    if (hard) await leaveRescue(call, record);
    await host.makeReady(ctx, record, "anew");
    await part(ctx, "driver.reboot", (c) =>
      host.driver.reboot(c, serverId, hard ? "hard" : "soft", softTimeoutMs),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default rebootGuest;
