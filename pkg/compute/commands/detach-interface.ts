import { DetachInterfaceInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/**
 * Takes an interface out of a guest: out of a running one with the guest's consent, and out of what it is
 * started with. One that is not there is success.
 */
const detachInterface: Command<DetachInterfaceInput, GuestOutput, never, "detachInterface"> & {
  readonly untilDone: true;
} = {
  name: "detach-interface",
  input: DetachInterfaceInput,
  output: GuestOutput,
  capability: { name: "attach-interface", methods: ["detachInterface"] },
  whenGivenUp: "stops",
  untilDone: true,
  async run({ ctx, serverId, host }, { portId }) {
    if ((await host.driver.inspect(ctx, serverId)) !== undefined)
      await part(ctx, "driver.detachInterface", async (c) =>
        host.driver.detachInterface(c, serverId, portId),
      );
    await host.unplugPorts(ctx, serverId, [portId]);
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default detachInterface;
