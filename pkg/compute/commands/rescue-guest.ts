import { GuestOutput, RescueGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { CommonErrors } from "../../kernel/index.js";
import type { ImagePhase } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import { recordOf } from "./record-of.js";
import unrescueGuest from "./unrescue-guest.js";

/**
 * Fetches the rescue image, ends the guest and starts it from there. While the image is fetched the guest
 * runs on. Taken back, it is as it was before: it runs from its own disk when its server was active.
 */
const rescueGuest: Command<RescueGuestInput, GuestOutput, ImagePhase, "rescue" | "unrescue"> = {
  name: "rescue-guest",
  input: RescueGuestInput,
  output: GuestOutput,
  capability: { name: "rescue", methods: ["rescue", "unrescue"] },
  progress: { image_download: 70, image_conversion: 30 },
  whenGivenUp: "stops",
  undo: undoneBy(unrescueGuest, ({ instance }) => ({ instance, softTimeoutMs: 0, takesBack: true })),
  async run({ ctx, serverId, host, tell }, { instance, image, kernel, ramdisk, secrets, softTimeoutMs }) {
    const record = recordOf(serverId, instance);
    if (image === undefined)
      throw CommonErrors.INVALID_ARGUMENT({ field: "input.image", problem: "must be given" });
    const rescue = await host.prepareRescue(ctx, record, { image, kernel, ramdisk }, secrets, tell);
    await part(ctx, "driver.rescue", async (c) => host.driver.rescue(c, serverId, rescue, softTimeoutMs));
    await host.makeReady(ctx, record);
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default rescueGuest;
