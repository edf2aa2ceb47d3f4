import type { Ctx } from "../../../kernel/index.js";
import type { GuestVolume, Tell, VolumePhase } from "../../driver.js";
import { DriverErrors } from "../errors.js";
import { freeNode, nodeSize } from "./block-nodes.js";
import { forgetConnection, keepConnection } from "./bridges/connection-file.js";
import { needRunning } from "./entry.js";
import type { Entry } from "./entry.js";
import { volumeName, volumePaths } from "./guest-paths.js";
import { qmp } from "./hot-device.js";
import type { HotGuest } from "./hot-device.js";
import { asArray, asObject } from "./qmp-client.js";
import { copyVolume, endCopy } from "./volume-copy.js";
import { volumeNode, withKnownAs } from "./volume-device.js";
import { commit, extendVolume } from "./volumes.js";
import type { VolumeTools } from "./volumes.js";

/**
 * Copies a volume to another one while the guest uses it, and lets the guest go on with that one. The device
 * stays what it is until the guest's next start, its serial number as well.
 * @throws GUEST_NOT_RUNNING, VOLUME_NOT_ATTACHED, VOLUME_TOO_SMALL, VOLUME_NOT_REACHABLE; the guest goes on
 *   with the old one then
 */
export async function swapVolume(
  ctx: Ctx,
  entry: Entry,
  oldVolumeId: string,
  volume: GuestVolume,
  tools: VolumeTools,
  tell: Tell<VolumePhase>,
): Promise<void> {
  const { volumeId, connection } = volume;
  const { readOnly, shared } = connection;
  const { volumes, spec } = entry.definition;
  const old = volumes.find((one) => one.volumeId === oldVolumeId);
  if (old === undefined) {
    if (volumes.some((one) => one.volumeId === volumeId || one.knownAs === volumeId)) return;
    throw DriverErrors.VOLUME_NOT_ATTACHED({ volume: oldVolumeId, instanceUuid: spec.instanceUuid });
  }
  const running = needRunning(entry);
  const swapped = { ...old, volumeId, knownAs: null, readOnly, shared };
  const at = volumePaths(entry.paths, volumeId);
  const [from, to] = [volumeName(oldVolumeId), volumeName(volumeId)];
  await keepConnection(at, connection);
  // An agent may have died before it wrote down what it had done.
  if ((await nodeOf(running, old.device)) !== to) {
    try {
      await endCopy(running);
      await freeNode(running, to);
      await tools.bridges.ensure(ctx, entry, volumeId, await nodeSize(running, from));
      await qmp(ctx, running, "blockdev-add", volumeNode(swapped, at.socket));
      await copyVolume(ctx, running, from, to, tell);
    } catch (error) {
      await endCopy(running).catch(() => undefined);
      await freeNode(running, to).catch(() => undefined);
      await tools.bridges.end(entry, volumeId);
      await forgetConnection(at);
      throw error;
    }
  }
  const now = volumes.map((one) => (one === old ? swapped : one));
  await commit(entry, { ...entry.definition, volumes: now }, tools);
  await freeNode(running, from);
  await tools.bridges.end(entry, oldVolumeId);
  await forgetConnection(volumePaths(entry.paths, oldVolumeId));
  // All of it, where it holds more than the old one.
  const wholeBytes = await tools.bridges.sizeBytes(spec.instanceUuid, volumeId);
  await extendVolume(ctx, entry, volumeId, wholeBytes, tools);
}

/** From here on everybody else knows a volume by another id. @throws VOLUME_NOT_ATTACHED */
export async function renameVolume(
  entry: Entry,
  volumeId: string,
  newVolumeId: string,
  tools: Pick<VolumeTools, "files">,
): Promise<void> {
  const renamed = withKnownAs(entry.definition, volumeId, newVolumeId);
  if (renamed !== undefined) return commit(entry, renamed, tools);
  const { instanceUuid } = entry.definition.spec;
  if (withKnownAs(entry.definition, newVolumeId, newVolumeId) === undefined)
    throw DriverErrors.VOLUME_NOT_ATTACHED({ volume: volumeId, instanceUuid });
}

/** Which block node a device has. */
async function nodeOf(guest: HotGuest, device: string): Promise<unknown> {
  const all = asArray(await guest.execute("query-block")).map(asObject);
  const found = all.find(({ qdev }) => typeof qdev === "string" && qdev.split("/").includes(device));
  return asObject(found?.["inserted"])["node-name"];
}
