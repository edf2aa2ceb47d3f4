import { AttachVolumeInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { CommonErrors } from "../../kernel/index.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import detachVolume from "./detach-volume.js";

/** Puts a volume into a guest, running or not; one that is there is left alone. */
const attachVolume: Command<AttachVolumeInput, GuestOutput, never, "attachVolume"> = {
  name: "attach-volume",
  input: AttachVolumeInput,
  output: GuestOutput,
  capability: { name: "attach-volume", methods: ["attachVolume"] },
  whenGivenUp: "stops",
  undo: undoneBy(detachVolume, ({ device }) => ({ volumeId: device?.volumeId ?? "" })),
  async run({ ctx, serverId, host }, { device }) {
    if (device === undefined)
      throw CommonErrors.INVALID_ARGUMENT({ field: "input.device", problem: "is missing" });
    const volume = host.volumeOf(device);
    await part(ctx, "driver.attachVolume", async (c) => host.driver.attachVolume(c, serverId, volume));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default attachVolume;
