import { rm } from "node:fs/promises";
import type { Ctx } from "../../../kernel/index.js";
import type { GuestInterface } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import type { HardwareOffer } from "./config.js";
import { deviceOf, userOf, withNic, withoutNic } from "./definition.js";
import type { StoredNic } from "./definition.js";
import { upOf } from "./entry.js";
import type { Entry } from "./entry.js";
import type { GuestFiles } from "./guest-files.js";
import { checkSocketPath, interfaceSocketPath } from "./guest-paths.js";
import { checkHardware } from "./hardware.js";
import type { DetachPatience } from "./hot-device.js";
import { missingNics, plugNic, unplugNic } from "./hot-nic.js";
import { machineFamily } from "./machine-family.js";
import type { RunningGuest } from "./running-guest.js";

/** As many as a definition may have. */
const MOST_INTERFACES = 16;

/** What changing a guest's interfaces works with. */
export interface InterfaceTools {
  readonly files: Pick<GuestFiles, "commit" | "addSocket">;
  readonly offer: HardwareOffer;
  readonly runDir: string;
  readonly patience: DetachPatience;
}

/**
 * Puts an interface into a guest, a running one first: the definition is written last. One that it has comes
 * back where the running guest has lost it.
 * @throws DEVICE_SLOTS_EXHAUSTED, UNSUPPORTED_HARDWARE, COMMAND_REFUSED
 */
export async function attachInterface(
  ctx: Ctx,
  entry: Entry,
  nic: GuestInterface,
  tools: InterfaceTools,
): Promise<void> {
  const { files, offer, runDir } = tools;
  const { instanceUuid, interfaces } = entry.definition.spec;
  if (interfaces.some(({ portId }) => portId === nic.portId)) return plugMissing(ctx, entry, tools);
  const socketPath = nic.socketPath || interfaceSocketPath(runDir, instanceUuid, nic.portId);
  const wanted = withNic(entry.definition, { ...nic, socketPath: checkSocketPath(socketPath) });
  if (wanted.spec.interfaces.length > MOST_INTERFACES)
    throw DriverErrors.DEVICE_SLOTS_EXHAUSTED({ instanceUuid });
  checkHardware(wanted.spec, wanted.machine, offer);
  const running = upOf(entry);
  const added = wanted.spec.interfaces.at(-1);
  if (running !== undefined && added !== undefined) {
    if (added.slot === null && machineFamily(wanted.machine) === "q35")
      throw DriverErrors.DEVICE_SLOTS_EXHAUSTED({ instanceUuid });
    await plug(ctx, entry, running, added, tools);
  }
  await files.commit(entry.paths, wanted);
  entry.definition = wanted;
}

/** Takes an interface out again, out of a running guest first. @throws DEVICE_DETACH_FAILED */
export async function detachInterface(
  ctx: Ctx,
  entry: Entry,
  portId: string,
  { files, patience }: InterfaceTools,
): Promise<void> {
  const nic = entry.definition.spec.interfaces.find((one) => one.portId === portId);
  const running = upOf(entry);
  // Attaching it may have been cut short before it was written down.
  const device = nic?.device ?? deviceOf({ portId });
  if (running !== undefined) await unplugNic(ctx, running, device, patience);
  if (nic === undefined) return;
  await rm(nic.socketPath, { force: true });
  const wanted = withoutNic(entry.definition, portId);
  await files.commit(entry.paths, wanted);
  entry.definition = wanted;
}

/** The definition holds: what a running guest has lost of it comes back. */
export async function plugMissing(
  ctx: Ctx,
  entry: Entry,
  tools: Pick<InterfaceTools, "files">,
): Promise<void> {
  const running = upOf(entry);
  if (running === undefined) return;
  for (const nic of await missingNics(running, entry.definition.spec.interfaces))
    await plug(ctx, entry, running, nic, tools);
}

const plug = (
  ctx: Ctx,
  { paths, definition }: Entry,
  running: RunningGuest,
  nic: StoredNic,
  { files }: Pick<InterfaceTools, "files">,
): Promise<void> =>
  plugNic(ctx, running, nic, (make) => files.addSocket(paths, nic.socketPath, userOf(definition), make));
