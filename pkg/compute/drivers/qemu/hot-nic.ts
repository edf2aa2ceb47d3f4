import type { Ctx } from "../../../kernel/index.js";
import type { StoredNic } from "./definition.js";
import { devices, hasDevice, qmp, unlessRefused, unplugDevice } from "./hot-device.js";
import type { DetachPatience, HotGuest } from "./hot-device.js";
import { netdevOf, nicDevice } from "./nic.js";

/**
 * Puts an interface into a running guest; one that is there is left alone.
 * @param makeSocket  has QEMU make the interface's socket under the path that it gives, and puts it in place
 */
export async function plugNic(
  ctx: Ctx,
  guest: HotGuest,
  nic: StoredNic,
  makeSocket: (make: (path: string) => Promise<void>) => Promise<void>,
): Promise<void> {
  if (await hasDevice(guest, nic.device)) return;
  const id = netdevOf(nic);
  // Of an attempt that was cut short.
  await unlessRefused(guest.execute("netdev_del", { id }));
  await makeSocket(async (path) => {
    const addr = { type: "unix", path };
    await qmp(ctx, guest, "netdev_add", { type: "stream", id, server: true, addr });
  });
  try {
    await qmp(ctx, guest, "device_add", nicDevice(nic));
  } catch (error) {
    await unlessRefused(guest.execute("netdev_del", { id }));
    throw error;
  }
}

/** Takes an interface out of a running guest, as `unplugDevice`. */
export async function unplugNic(
  ctx: Ctx,
  guest: HotGuest,
  device: string,
  patience: DetachPatience,
): Promise<void> {
  if ((await unplugDevice(ctx, guest, device, patience)) === "ended") return;
  await unlessRefused(guest.execute("netdev_del", { id: netdevOf({ device }) }));
}

/** Interfaces that the guest should have and has not. */
export async function missingNics(guest: HotGuest, nics: readonly StoredNic[]): Promise<StoredNic[]> {
  const there = await devices(guest);
  return nics.filter(({ device }) => !there.has(device));
}
