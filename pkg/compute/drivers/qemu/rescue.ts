import { rm } from "node:fs/promises";
import type { Ctx } from "../../../kernel/index.js";
import type { RescueSpec } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { writeConfigDrive } from "./config-drive.js";
import type { HardwareOffer, QemuConfig } from "./config.js";
import { asStarted, digestOf, storedKernel } from "./definition.js";
import type { Definition, Rescue } from "./definition.js";
import { rescueDisk } from "./disk-plan.js";
import { createDisk } from "./disks.js";
import type { DiskTools } from "./disks.js";
import type { GuestPaths } from "./guest-paths.js";
import { checkHardware, diskBus, pinMachine } from "./hardware.js";
import { machineFamily } from "./machine-family.js";

/**
 * A rescue as it is written down.
 * @throws UNSUPPORTED_HARDWARE for what could not be built
 */
export function toRescue(
  { image, kernel, configDrive, hardware, stable }: RescueSpec,
  definition: Definition,
  offer: HardwareOffer,
): Rescue {
  const { spec, machine } = definition;
  const family = machineFamily(machine);
  const rescue: Rescue = {
    image: { ...image },
    kernel: storedKernel(kernel),
    hardware: { ...hardware },
    machine:
      hardware.machineType === spec.hardware.machineType ? machine : pinMachine(hardware.machineType, offer),
    configDriveDigest: digestOf(configDrive),
    stable:
      stable === undefined
        ? null
        : { device: stable.device, bus: stable.bus ?? usualBus(stable.device, hardware.diskBus, family) },
  };
  const started = asStarted({ ...definition, rescue });
  checkHardware(started.spec, started.machine, offer);
  if (rescue.stable !== null) checkStable(rescue.stable, family);
  return rescue;
}

/** @source nova libvirt blockinfo: get_rescue_bus */
function usualBus(device: string, diskBusOfImage: string | undefined, family: "q35" | "pc"): string {
  if (device === "cdrom") return family === "q35" ? "sata" : "ide";
  return diskBusOfImage ?? "virtio";
}

function checkStable({ device, bus: name }: NonNullable<Rescue["stable"]>, family: "q35" | "pc"): void {
  const refuse = (property: string, value: string): never => {
    throw DriverErrors.UNSUPPORTED_HARDWARE({ property, value });
  };
  const bus = diskBus(name, family, "hw_rescue_bus");
  if (device !== "disk" && device !== "cdrom") refuse("hw_rescue_device", device);
  if (device === "cdrom" && bus.cdrom === undefined) refuse("hw_rescue_bus", name);
}

/** What making a rescue's files takes. */
export interface RescueTools extends DiskTools {
  readonly config: Pick<QemuConfig, "qemuImg" | "xorriso" | "configDriveFormat" | "toolTimeoutMs">;
}

/** Makes the rescue disk and its config drive, anew if there are any: nothing refers to them yet. */
export async function makeRescueFiles(
  ctx: Ctx,
  rescue: Rescue,
  configDrive: RescueSpec["configDrive"],
  paths: GuestPaths,
  tools: RescueTools,
): Promise<void> {
  await removeRescueFiles(paths);
  await createDisk(ctx, rescueDisk(rescue, paths), tools);
  if (configDrive === undefined) return;
  const { xorriso, configDriveFormat: format, toolTimeoutMs: timeoutMs } = tools.config;
  await writeConfigDrive(ctx, configDrive, paths.rescueConfigDrive, { ...tools, xorriso, format, timeoutMs });
}

/** Also those that were being made. None of them may be there is success. */
export async function removeRescueFiles({ rescueDisk: disk, rescueConfigDrive }: GuestPaths): Promise<void> {
  for (const path of [disk, `${disk}.tmp`, rescueConfigDrive, `${rescueConfigDrive}.tmp`])
    await rm(path, { recursive: true, force: true });
}
