import { BlockDeviceDestination, BlockDeviceSource } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { ServerSecrets } from "../../../gen/kilonova/type/v1/server_spec.js";
import type { VolumeCaller, VolumeInfo } from "../../clients/cinder/ports.js";
import { KilonovaError } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { done, fail, park } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { endAttachments, reservedAgain } from "./attachments.js";
import { BOOT_DEVICE, bootMark, removeMadeVolumes, volumesMade } from "./boot-volumes.js";
import { selectedHosts } from "./destinations.js";
import { changeOf } from "./device-change.js";
import { handedOver } from "./hand-over.js";
import { devicesOf } from "./volume-devices.js";

type VolumePorts = Pick<Ports, "cinder" | "records">;

/** Whether its volume is one that its user has had before. */
const isThere = ({ source }: BlockDeviceRecord): boolean =>
  source === BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME;

/** How often a volume that is being made is looked at. */
const LOOK_AGAIN_MS = 2_000;

/** Whether one is a volume of the Block Storage service. */
export const isOnVolume = ({ destination }: BlockDeviceRecord): boolean =>
  destination === BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME;

/**
 * Makes the volumes that a new server is to have, waits until they are there, and reserves all of its
 * volumes. New ones carry the operation's name, so that a repeated start finds them and an undo misses none.
 * A server without a host gets none: the next step tells why.
 */
export const prepareVolumes = (ports: VolumePorts): Step => ({
  name: "prepare-volumes",
  unfenced: true,
  event: "conductor_prepare_volumes",
  taskState: TaskState.blockDeviceMapping,
  timeoutMs: 3_600_000,

  async run(call) {
    if ((call.outputs.get(selectedHosts).refusal ?? call.outputs.find(handedOver)?.refusal) !== undefined)
      return done();
    const devices = (await devicesOf(call, ports)).filter(isOnVolume);
    try {
      return await prepared(call, ports, devices);
    } catch (error) {
      if (!(error instanceof KilonovaError) || !HOPELESS.has(error.kind)) throw error;
      if (error.kind === "unauthenticated") return fail(ConductorErrors.USER_TOKEN_ENDED({}));
      return fail(ConductorErrors.VOLUME_NOT_MADE({ problem: error.message }));
    }
  },

  async undo(call) {
    await endAttachments(call, ports);
    await removeMadeVolumes(call, ports.cinder);
    const devices = (await devicesOf(call, ports)).filter(isOnVolume);
    return {
      more: {
        blockDevices: devices.map((device) =>
          changeOf({ ...device, attachmentId: "", volumeId: isThere(device) ? device.volumeId : "" }, [
            "volume_id",
            "attachment_id",
          ]),
        ),
      },
    };
  },
});

/** What another attempt would not cure. */
const HOPELESS: ReadonlySet<string> = new Set([
  "invalid",
  "missing",
  "quota",
  "forbidden",
  "refused",
  "unauthenticated",
]);

async function prepared(
  call: StepCall,
  ports: VolumePorts,
  devices: readonly BlockDeviceRecord[],
): Promise<StepResult> {
  const present = call.firstStart ? [] : await volumesMade(call, ports.cinder);
  const volumes: VolumeInfo[] = [];
  for (const device of devices) {
    const made = present.find(({ metadata }) => metadata[BOOT_DEVICE] === device.id);
    volumes.push(made ?? (await volumeFor(call, ports, device)));
  }
  const broken = volumes.find(({ status }) => status.startsWith("error"));
  if (broken !== undefined)
    return fail(
      ConductorErrors.VOLUME_NOT_MADE({
        problem: `Volume ${broken.id} did not finish being created, its status is ${broken.status}.`,
      }),
    );
  if (volumes.some(({ status }) => MAKING.has(status))) return park("", LOOK_AGAIN_MS);
  // Of a request that was repeated, since nobody knew whether it had come to anything.
  const keeps = new Set(volumes.map(({ id }) => id));
  if (present.some(({ id }) => !keeps.has(id))) await removeMadeVolumes(call, ports.cinder, { keeps });
  const changes = [];
  for (const [index, device] of devices.entries()) {
    const volumeId = volumes[index]?.id ?? "";
    const attachmentId = await reservedAgain(call, ports, volumeId);
    changes.push(changeOf({ ...device, volumeId, attachmentId }, ["volume_id", "attachment_id"]));
  }
  return done({}, { more: { blockDevices: changes } });
}

const MAKING: ReadonlySet<string> = new Set(["creating", "downloading"]);

/**
 * Whose volumes are made: the user's, with the token with which the server was asked for. Without one, which
 * is so of servers that an older process has accepted, they are the service's where Block Storage goes by
 * tokens alone.
 */
function makerOf({ secrets, server }: StepCall): VolumeCaller {
  const { userToken } = ServerSecrets.decode(secrets);
  return userToken === "" ? {} : { userToken, projectId: server.projectId };
}

/** One that is there already, or a new one. */
async function volumeFor(
  call: StepCall,
  { cinder }: VolumePorts,
  device: BlockDeviceRecord,
): Promise<VolumeInfo> {
  const { ctx, server } = call;
  if (isThere(device)) return cinder.getVolume(ctx, device.volumeId);
  const { imageId, snapshotId, volumeType } = device;
  const wish = {
    name: imageId === "" && snapshotId === "" ? `${server.id}-blank-vol` : "",
    sizeGib: Number(device.sizeMib / 1024n),
    projectId: server.projectId,
    userId: server.userId,
    metadata: bootMark(call, device.id),
    ...(imageId === "" ? {} : { imageId }),
    ...(snapshotId === "" ? {} : { snapshotId }),
    ...(volumeType === "" ? {} : { volumeType }),
  };
  return cinder.createVolume(ctx, wish, makerOf(call));
}
