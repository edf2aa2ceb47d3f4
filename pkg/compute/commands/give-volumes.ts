import type { Ctx } from "../../kernel/index.js";
import { CommonErrors } from "../../kernel/index.js";
import type { Driver, GuestVolume } from "../driver.js";
import { part } from "./command.js";

/**
 * Gives a guest that is defined the volumes that it starts with. @throws UNIMPLEMENTED: a driver that cannot
 * is no reason for a guest without its disk
 */
export async function giveVolumes(
  ctx: Ctx,
  driver: Driver,
  serverId: string,
  volumes: readonly GuestVolume[],
): Promise<void> {
  for (const volume of volumes)
    await part(ctx, "driver.attachVolume", async (c) => {
      if (driver.attachVolume === undefined) throw CommonErrors.UNIMPLEMENTED({ what: "Attaching volumes" });
      await driver.attachVolume(c, serverId, volume);
    });
}
