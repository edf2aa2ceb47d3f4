import { AttachInterfaceInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import attachInterface from "./attach-interface.js";
import type { Command } from "./command.js";

/** Takes back that an interface was taken out. A guest that is not there any more needs none. */
const restoreInterface: Command<AttachInterfaceInput, GuestOutput, never, "attachInterface"> & {
  readonly untilDone: true;
} = {
  name: "restore-interface",
  input: AttachInterfaceInput,
  output: GuestOutput,
  capability: { name: "attach-interface", methods: ["attachInterface"] },
  whenGivenUp: "stops",
  untilDone: true,
  async run(call, input) {
    const { ctx, serverId, host } = call;
    if ((await host.driver.inspect(ctx, serverId)) !== undefined) return attachInterface.run(call, input);
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default restoreInterface;
