import { GuestOutput, SetGuestPasswordInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Has the agent inside the guest set its administrator's password. */
const setGuestPassword: Command<SetGuestPasswordInput, GuestOutput, never, "setAdminPassword"> = {
  name: "set-guest-password",
  input: SetGuestPasswordInput,
  output: GuestOutput,
  capability: { name: "set-admin-password", methods: ["setAdminPassword"] },
  // Half a change would leave nobody knowing the password.
  whenGivenUp: "finishes",
  async run({ ctx, serverId, host }, { adminPassword }) {
    await part(ctx, "driver.setAdminPassword", async (c) =>
      host.driver.setAdminPassword(c, serverId, adminPassword),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default setGuestPassword;
