import { z } from "zod";
import type { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import type { SnapshotInfo } from "../../clients/cinder/ports.js";
import { KilonovaError } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { done, fail, park } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { isOnVolume } from "./prepare-volumes.js";
import { devicesOf } from "./volume-devices.js";
import { removeMadeSnapshots, SNAPSHOT_DEVICE, snapshotMark, snapshotsMade } from "./volume-snapshots.js";

type Call = StepCall<CreateImageInput>;
type VolumePorts = Pick<Ports, "cinder" | "records">;

/** The guest may stand still meanwhile. */
const LOOK_AGAIN_MS = 500;

/** What became a snapshot. */
export const theSnapshots = outputOf(
  "snapshot-volumes",
  z.object({
    snapshots: z.array(z.object({ deviceId: z.string(), snapshotId: z.string(), sizeGib: z.number() })),
  }),
);

/**
 * Makes a snapshot of each of the server's volumes, and waits until all are there. They carry the operation's
 * name, so that a repeated start finds them and an undo misses none.
 */
export const snapshotVolumes = (ports: VolumePorts): Step<CreateImageInput> => ({
  name: theSnapshots.step,
  unfenced: true,
  event: "api_snapshot_instance",
  taskState: TaskState.imageSnapshot,
  timeoutMs: 4 * 3_600_000,

  async run(call) {
    try {
      return await made(call, ports, await volumesOf(call, ports));
    } catch (error) {
      if (!(error instanceof KilonovaError) || !HOPELESS.has(error.kind)) throw error;
      return fail(ConductorErrors.SNAPSHOT_NOT_MADE({ problem: error.message }));
    }
  },

  async undo(call) {
    const now = (await volumesOf(call, ports)).map(({ volumeId }) => volumeId);
    await removeMadeSnapshots(call, ports.cinder, [...call.input.volumeIds, ...now]);
    return undefined;
  },
});

const volumesOf = async (call: Call, ports: VolumePorts): Promise<readonly BlockDeviceRecord[]> =>
  (await devicesOf(call, ports)).filter((device) => isOnVolume(device) && device.volumeId !== "");

/** What another attempt would not cure. */
const HOPELESS: ReadonlySet<string> = new Set(["invalid", "missing", "quota", "forbidden", "refused"]);

async function made(
  call: Call,
  ports: VolumePorts,
  volumes: readonly BlockDeviceRecord[],
): Promise<StepResult> {
  const ids = volumes.map(({ volumeId }) => volumeId);
  const present = call.firstStart ? [] : await snapshotsMade(call, ports.cinder, ids);
  const snapshots: SnapshotInfo[] = [];
  for (const device of volumes) {
    const found = present.find(({ metadata }) => metadata[SNAPSHOT_DEVICE] === device.id);
    snapshots.push(found ?? (await snapshotOf(call, ports, device)));
  }
  const broken = snapshots.find(({ status }) => status !== "creating" && status !== "available");
  if (broken !== undefined)
    return fail(
      ConductorErrors.SNAPSHOT_NOT_MADE({
        problem: `Snapshot ${broken.id} did not finish being created, its status is ${broken.status}.`,
      }),
    );
  if (snapshots.some(({ status }) => status === "creating")) return park("", LOOK_AGAIN_MS);
  // Of a request that was repeated, since nobody knew whether it had come to anything.
  const keeps = new Set(snapshots.map(({ id }) => id));
  if (present.some(({ id }) => !keeps.has(id))) await removeMadeSnapshots(call, ports.cinder, ids, { keeps });
  return done({
    snapshots: snapshots.map(({ id, sizeGib }, index) => ({
      deviceId: volumes[index]?.id ?? "",
      snapshotId: id,
      sizeGib,
    })),
  });
}

/** @source nova API.snapshot_volume_backed: what a snapshot is called */
async function snapshotOf(
  call: Call,
  { cinder }: VolumePorts,
  { id, volumeId }: BlockDeviceRecord,
): Promise<SnapshotInfo> {
  const { description } = await cinder.getVolume(call.ctx, volumeId);
  const name = `snapshot for ${call.input.name}`.slice(0, MOST_CHARACTERS);
  const metadata = snapshotMark(call, id);
  return cinder.createSnapshot(call.ctx, { volumeId, name, description, metadata });
}

/** Of a snapshot's name in the Block Storage service. */
const MOST_CHARACTERS = 255;
