import { BuildGuestInput, GuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import type { DiskPhase, Driver, GuestVolume, ImagePhase } from "../driver.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import destroyGuest from "./destroy-guest.js";
import { recordOf } from "./record-of.js";

/**
 * Fetches the image, makes disks and config drive, plugs the ports, connects volumes and starts the guest.
 */
const buildGuest: Command<BuildGuestInput, GuestOutput, ImagePhase | DiskPhase> = {
  name: "build-guest",
  input: BuildGuestInput,
  output: GuestOutput,
  progress: { image_download: 60, image_conversion: 30, disks: 10 },
  whenGivenUp: "stops",
  undo: undoneBy(destroyGuest, () => ({})),
  async run({ ctx, serverId, host, tell }, { instance, secrets, volumes }) {
    const record = recordOf(serverId, instance);
    const wanted = volumes.map((device) => host.volumeOf(device));
    await host.define(ctx, record, secrets, tell);
    for (const volume of wanted) {
      ctx.signal.throwIfAborted();
      await part(ctx, "driver.attachVolume", async (c) => attach(host.driver, c, serverId, volume));
    }
    ctx.signal.throwIfAborted();
    await host.plug(ctx, record);
    await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default buildGuest;

/** A driver that cannot is no reason to build a guest without its disk. */
async function attach(driver: Driver, ctx: Ctx, serverId: string, volume: GuestVolume): Promise<void> {
  if (driver.attachVolume === undefined) throw CommonErrors.UNIMPLEMENTED({ what: "Attaching volumes" });
  await driver.attachVolume(ctx, serverId, volume);
}
