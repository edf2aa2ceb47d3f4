import type { Ctx } from "../../../kernel/index.js";
import type { GuestVolume } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { freeNode, nodeSize } from "./block-nodes.js";
import { forgetConnection, keepConnection } from "./bridges/connection-file.js";
import type { HostBridges } from "./bridges/host-bridges.js";
import type { Definition, StoredVolume } from "./definition.js";
import { upOf } from "./entry.js";
import type { Entry } from "./entry.js";
import type { GuestFiles } from "./guest-files.js";
import { volumeName, volumePaths } from "./guest-paths.js";
import { devices, hasDevice, isRefusal, qmp, unlessRefused, unplugDevice } from "./hot-device.js";
import type { DetachPatience, HotGuest } from "./hot-device.js";
import { endCopy } from "./volume-copy.js";
import {
  isHot,
  volumeControllers,
  volumeDevice,
  volumeDeviceId,
  volumeNode,
  volumesAtStart,
  withVolume,
  withoutVolume,
} from "./volume-device.js";

/** What changing a guest's volumes works with. */
export interface VolumeTools {
  readonly files: Pick<GuestFiles, "commit">;
  readonly bridges: HostBridges;
  readonly patience: DetachPatience;
}

/**
 * Puts a volume into a guest, a running one first: the definition is written last. Of one that it has only
 * the connection may be another one, from the next start on.
 * @throws UNSUPPORTED_HARDWARE, DEVICE_SLOTS_EXHAUSTED, VOLUME_NOT_REACHABLE
 */
export async function attachVolume(
  ctx: Ctx,
  entry: Entry,
  volume: GuestVolume,
  tools: VolumeTools,
): Promise<void> {
  const { volumeId, connection } = volume;
  const { readOnly, shared } = connection;
  const at = volumePaths(entry.paths, volumeId);
  const known = entry.definition.volumes.find((one) => one.volumeId === volumeId);
  if (known !== undefined) {
    await keepConnection(at, connection);
    const volumes = entry.definition.volumes.map((one) =>
      one === known ? { ...one, readOnly, shared } : one,
    );
    if (known.readOnly !== readOnly || known.shared !== shared)
      await commit(entry, { ...entry.definition, volumes }, tools);
    return plugMissingVolumes(ctx, entry, tools, volumeId);
  }
  const wanted = withVolume(entry.definition, { ...volume, readOnly, shared });
  const added = wanted.volumes.at(-1);
  await keepConnection(at, connection);
  try {
    if (added !== undefined && volumesAtStart(wanted).includes(added))
      await plug(ctx, entry, wanted, added, tools);
  } catch (error) {
    const { instanceUuid } = entry.definition.spec;
    ctx.log.warn("compute.qemu.volume.not-attached", { instanceUuid, volumeId, error });
    await tools.bridges.end(entry, volumeId);
    await forgetConnection(at);
    throw error;
  }
  await commit(entry, wanted, tools);
}

/** Takes a volume out again, out of a running guest first. @throws DEVICE_DETACH_FAILED */
export async function detachVolume(
  ctx: Ctx,
  entry: Entry,
  volumeId: string,
  tools: VolumeTools,
): Promise<void> {
  const known = entry.definition.volumes.find((one) => one.volumeId === volumeId);
  // Attaching it may have been cut short before it was written down.
  const device = known?.device ?? volumeDeviceId(volumeId);
  const isAnother = known === undefined && entry.definition.volumes.some((one) => one.device === device);
  const running = upOf(entry);
  // Its memory knows the device, and nobody is there who could let go of it.
  if (running === undefined && entry.saved?.argv.some((word) => word.includes(`id=${device}`)))
    throw DriverErrors.DEVICE_DETACH_FAILED({ device });
  if (running !== undefined && !isAnother) await unplug(ctx, running, { device, volumeId }, tools.patience);
  await tools.bridges.end(entry, volumeId);
  if (known !== undefined) await commit(entry, withoutVolume(entry.definition, volumeId), tools);
  await forgetConnection(volumePaths(entry.paths, volumeId));
}

/**
 * Has a running guest see that a volume has grown. What serves it is started anew, since only who connects is
 * told its size. @throws VOLUME_TOO_SMALL
 */
export async function extendVolume(
  ctx: Ctx,
  entry: Entry,
  volumeId: string,
  sizeBytes: number,
  { bridges }: Pick<VolumeTools, "bridges">,
): Promise<void> {
  const running = upOf(entry);
  const volume = volumesAtStart(entry.definition).find((one) => one.volumeId === volumeId);
  if (running === undefined || volume === undefined || !(await hasDevice(running, volume.device))) return;
  const node = volumeName(volumeId);
  if ((await nodeSize(running, node)) >= sizeBytes) return;
  const haveBytes = await bridges.renew(ctx, entry, volumeId);
  if (haveBytes < sizeBytes)
    throw DriverErrors.VOLUME_TOO_SMALL({ volume: volumeId, haveBytes, wantBytes: sizeBytes });
  // QEMU connects anew, and learns the size, when it has something to read.
  await qmp(ctx, running, "human-monitor-command", { "command-line": `qemu-io ${node} "read 0 512"` });
  await qmp(ctx, running, "block_resize", { "node-name": node, size: haveBytes });
}

/**
 * The definition holds: volumes that a running guest has lost come back, and daemons that are gone. Of a
 * guest whose monitor is lost nobody knows what it has, and it can be given nothing: its daemons come back,
 * for it connects to them by itself.
 * @param only  this one, if any
 * @throws the first failure, once all have been tried
 */
export async function plugMissingVolumes(
  ctx: Ctx,
  entry: Entry,
  tools: Pick<VolumeTools, "bridges">,
  only?: string,
): Promise<void> {
  const running = upOf(entry);
  if (running === undefined) return;
  // Somebody who waits for one volume is told that it cannot be given.
  const there = running.hears || only !== undefined ? await held(running) : undefined;
  const failures: unknown[] = [];
  for (const volume of volumesAtStart(entry.definition)) {
    const { volumeId, device } = volume;
    if (only !== undefined && only !== volumeId) continue;
    await (
      there === undefined || there.has(device)
        ? tools.bridges.ensure(ctx, entry, volumeId)
        : plug(ctx, entry, entry.definition, volume, tools)
    ).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}

/** The devices of a guest, once no copy of a volume goes on. */
async function held(running: HotGuest): Promise<ReadonlySet<unknown>> {
  await endCopy(running);
  return devices(running);
}

async function plug(
  ctx: Ctx,
  entry: Entry,
  definition: Definition,
  volume: StoredVolume,
  { bridges }: Pick<VolumeTools, "bridges">,
): Promise<void> {
  const { volumeId, bus } = volume;
  const running = upOf(entry);
  if (running === undefined) return;
  if (!isHot(volume) || !(await hasControllers(running, volumeControllers(definition, volume))))
    throw DriverErrors.UNSUPPORTED_HARDWARE({ property: "disk_bus", value: bus });
  await bridges.ensure(ctx, entry, volumeId);
  await plugVolume(ctx, running, volumeNode(volume, volumePaths(entry.paths, volumeId).socket), {
    ...volumeDevice(definition, volume),
  });
}

/** Puts a block node and its device into a running guest; a device that is there is left alone. */
async function plugVolume(
  ctx: Ctx,
  guest: HotGuest,
  node: Readonly<Record<string, unknown>>,
  device: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (await hasDevice(guest, String(device["id"]))) return;
  const nodeName = node["node-name"];
  // Of an attempt that was cut short.
  await unlessRefused(guest.execute("blockdev-del", { "node-name": nodeName }));
  await qmp(ctx, guest, "blockdev-add", node);
  try {
    await qmp(ctx, guest, "device_add", device);
  } catch (error) {
    await unlessRefused(guest.execute("blockdev-del", { "node-name": nodeName }));
    if (!isRefusal(error)) throw error;
    throw DriverErrors.DEVICE_SLOTS_EXHAUSTED({ instanceUuid: guest.instanceUuid }, { cause: error });
  }
}

/** Takes both out of it, with the guest's consent. @throws DEVICE_DETACH_FAILED */
async function unplug(
  ctx: Ctx,
  guest: HotGuest,
  { device, volumeId }: Pick<StoredVolume, "device" | "volumeId">,
  patience: DetachPatience,
): Promise<void> {
  if ((await unplugDevice(ctx, guest, device, patience)) === "ended") return;
  await freeNode(guest, volumeName(volumeId));
}

async function hasControllers(guest: HotGuest, controllers: readonly string[]): Promise<boolean> {
  for (const controller of controllers) {
    const id = /,id=([^,]+)/.exec(controller)?.[1];
    if (id !== undefined && !(await hasDevice(guest, id))) return false;
  }
  return true;
}

export async function commit(
  entry: Entry,
  definition: Definition,
  { files }: Pick<VolumeTools, "files">,
): Promise<void> {
  await files.commit(entry.paths, definition);
  entry.definition = definition;
}
