import { GuestOutput, ResumeGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import type { Command } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";

const { POWER_STATE_SUSPENDED, POWER_STATE_PAUSED } = PowerState;

/** Takes a suspension back, however far it came. A guest that is off, or not there, is left alone. */
const letGuestGoOn: Command<ResumeGuestInput, GuestOutput, never, "resume"> & { readonly untilDone: true } = {
  name: "let-guest-go-on",
  input: ResumeGuestInput,
  output: GuestOutput,
  capability: { name: "suspend", methods: ["resume"] },
  whenGivenUp: "finishes",
  untilDone: true,
  async run({ ctx, serverId, host }, { instance }) {
    const standing = await host.powerState(ctx, serverId);
    if (standing === POWER_STATE_SUSPENDED || standing === POWER_STATE_PAUSED) {
      await host.makeReady(ctx, recordOf(serverId, instance));
      await part(ctx, "driver.resume", async (c) => host.driver.resume(c, serverId));
    }
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default letGuestGoOn;
