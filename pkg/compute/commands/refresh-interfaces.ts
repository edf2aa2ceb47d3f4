import { GuestOutput, RefreshInterfacesInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/**
 * Tells the switch what the Network service says of a guest's ports, and takes out those that are not the
 * guest's any more; where the driver cannot, they stay in the guest without a wire.
 */
const refreshInterfaces: Command<RefreshInterfacesInput, GuestOutput> = {
  name: "refresh-interfaces",
  input: RefreshInterfacesInput,
  output: GuestOutput,
  whenGivenUp: "stops",
  async run({ ctx, serverId, host }, { hostname, ports, gone }) {
    // Nothing passes any more, whether the guest lets go of the device or not.
    if (gone.length > 0) await host.unplugPorts(ctx, serverId, gone);
    for (const portId of gone)
      await part(ctx, "driver.detachInterface", async (c) =>
        host.driver.detachInterface?.(c, serverId, portId),
      );
    if (ports.length > 0) await host.plugPorts(ctx, serverId, hostname, ports);
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default refreshInterfaces;
