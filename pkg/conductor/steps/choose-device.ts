import { z } from "zod";
import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import {
  BlockDeviceDestination,
  BlockDeviceRecord,
  BlockDeviceSource,
} from "../../../gen/kilonova/cells/v1/server_records.js";
import type { BlockDeviceChange } from "../../../gen/kilonova/cells/v1/server_records.js";
import { parseOperationName } from "../../model/operation-name.js";
import { nextDeviceName } from "../domain/device-names.js";
import { done, fail } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { devicesOf } from "./volume-devices.js";

/** The block device that the step has made. */
export const chosenDevice = outputOf(
  "choose-device",
  z.object({ deviceId: z.string(), deviceName: z.string(), volumeId: z.string() }),
);

/** The block device is found again by the operation's id, which it has for its own. */
export const deviceIdOf = ({ operation }: Pick<StepCall, "operation">): string =>
  parseOperationName(operation.name)?.operationId ?? "";

/**
 * Chooses a device for the volume. The record is the server's from this step's commit on, so that whoever
 * deletes the server knows of the volume before anybody asks for it.
 * @param maximum  disks that a server may have; -1 for no limit
 */
export const chooseDevice = (ports: Pick<Ports, "records">, maximum: number): Step<AttachVolumeInput> => ({
  name: chosenDevice.step,
  event: "compute_reserve_block_device_name",
  timeoutMs: 60_000,

  async run(call) {
    const { volumeId, device: asked } = call.input;
    const deviceId = deviceIdOf(call);
    const others = (await devicesOf(call, ports)).filter(({ id }) => id !== deviceId);
    if (others.some((one) => one.volumeId === volumeId))
      return fail(ConductorErrors.VOLUME_ALREADY_ATTACHED({ volume: volumeId }));
    const used = others.map(({ deviceName }) => deviceName);
    const found = nextDeviceName(asked, used, call.server.hostInfo?.rootDeviceName ?? "", maximum);
    if (found.kind === "in-use") return fail(ConductorErrors.DEVICE_IN_USE({ device: asked }));
    if (found.kind === "too-many") return fail(ConductorErrors.TOO_MANY_VOLUMES({ maximum }));
    const output = { deviceId, deviceName: found.name, volumeId };
    return done(output, { more: { blockDevices: [added(call.input, output)] } });
  },

  async undo(call) {
    const id = deviceIdOf(call);
    if (!(await devicesOf(call, ports)).some((one) => one.id === id)) return undefined;
    const device = BlockDeviceRecord.fromPartial({ id });
    return { more: { blockDevices: [{ device, updateMask: undefined, remove: true }] } };
  },
});

const added = (
  { volumeId, tag, deleteOnTermination, sizeMib }: AttachVolumeInput,
  { deviceId, deviceName }: { readonly deviceId: string; readonly deviceName: string },
): BlockDeviceChange => ({
  device: BlockDeviceRecord.fromPartial({
    id: deviceId,
    source: BlockDeviceSource.BLOCK_DEVICE_SOURCE_VOLUME,
    destination: BlockDeviceDestination.BLOCK_DEVICE_DESTINATION_VOLUME,
    volumeId,
    sizeMib,
    deviceName,
    deviceType: "disk",
    deleteOnTermination,
    tag,
  }),
  updateMask: undefined,
  remove: false,
});
