import { GuestOutput, SwapVolumeInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { CommonErrors } from "../../kernel/index.js";
import type { VolumePhase } from "../driver.js";
import type { Command } from "./command.js";
import { part } from "./command.js";

/** Copies a running guest's volume to another one, with which the guest goes on. */
const swapVolume: Command<SwapVolumeInput, GuestOutput, VolumePhase, "swapVolume"> = {
  name: "swap-volume",
  input: SwapVolumeInput,
  output: GuestOutput,
  capability: { name: "migrate-volume", methods: ["swapVolume"] },
  whenGivenUp: "stops",
  progress: { volume_copy: 100 },
  async run({ ctx, serverId, host, tell }, { volumeId, device }) {
    if (device === undefined)
      throw CommonErrors.INVALID_ARGUMENT({ field: "input.device", problem: "is missing" });
    const volume = host.volumeOf(device);
    await part(ctx, "driver.swapVolume", async (c) =>
      host.driver.swapVolume(c, serverId, volumeId, volume, tell),
    );
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default swapVolume;
