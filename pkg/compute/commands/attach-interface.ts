import { AttachInterfaceInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { CommonErrors } from "../../kernel/index.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import detachInterface from "./detach-interface.js";

/** Puts an interface into a guest, running or not; one that is there is left alone. */
const attachInterface: Command<AttachInterfaceInput, GuestOutput, never, "attachInterface"> = {
  name: "attach-interface",
  input: AttachInterfaceInput,
  output: GuestOutput,
  capability: { name: "attach-interface", methods: ["attachInterface"] },
  whenGivenUp: "stops",
  undo: undoneBy(detachInterface, ({ port }) => ({ portId: port?.portId ?? "" })),
  async run({ ctx, serverId, host }, { hostname, port }) {
    if (port === undefined)
      throw CommonErrors.INVALID_ARGUMENT({ field: "input.port", problem: "is missing" });
    await host.plugPorts(ctx, serverId, hostname, [port]);
    await part(ctx, "driver.attachInterface", async (c) =>
      host.driver.attachInterface(c, serverId, host.interfaceOf(serverId, port)),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default attachInterface;
