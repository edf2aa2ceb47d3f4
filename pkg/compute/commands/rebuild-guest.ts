import { GuestOutput, RebuildGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Powers the old guest off and puts what was prepared in its place, without starting it. */
const rebuildGuest: Command<RebuildGuestInput, GuestOutput, never, "rebuild"> = {
  name: "rebuild-guest",
  input: RebuildGuestInput,
  output: GuestOutput,
  capability: { name: "rebuild", methods: ["rebuild"] },
  // Whoever asked could not tell any more which disks the guest has.
  whenGivenUp: "finishes",
  async run({ ctx, serverId, host }, { key, softTimeoutMs }) {
    await part(ctx, "driver.rebuild", async (c) => host.driver.rebuild(c, serverId, key, softTimeoutMs));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default rebuildGuest;
