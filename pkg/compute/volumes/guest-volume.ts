import { z } from "zod";
import type { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import { CommonErrors } from "../../kernel/index.js";
import type { GuestVolume, VolumeAddress } from "../driver.js";
import { VolumeErrors } from "./errors.js";

/** What every protocol says, in the Block Storage service's form. */
const common = z.looseObject({
  driver_volume_type: z.string(),
  access_mode: z.string().optional(),
  multiattach: z.boolean().optional(),
});

const nbd = z.union([
  z
    .object({ unix: z.string().startsWith("/"), export: z.string() })
    .transform(({ unix, export: exportName }) => ({ type: "nbd" as const, unix, exportName })),
  z
    .object({ host: z.string().min(1), port: z.number().int(), export: z.string() })
    .transform(({ host, port, export: exportName }) => ({ type: "nbd" as const, host, port, exportName })),
]);

/** One line per protocol, by the name that the service gives it. */
const PROTOCOLS: Readonly<Record<string, z.ZodType<VolumeAddress>>> = { nbd };

/**
 * A block device as its guest has it. @throws CONNECTION_NOT_SUPPORTED for an unknown protocol;
 * INVALID_ARGUMENT, which tells nothing of the connection
 */
export function guestVolume(device: BlockDeviceRecord): GuestVolume {
  const said = common.safeParse(parsed(device.connectionInfo));
  if (!said.success) throw unreadable();
  const protocol = said.data.driver_volume_type;
  const address = PROTOCOLS[protocol];
  if (address === undefined) throw VolumeErrors.CONNECTION_NOT_SUPPORTED({ protocol });
  const at = address.safeParse(said.data);
  if (!at.success) throw unreadable();
  return {
    volumeId: device.volumeId,
    deviceName: device.deviceName,
    deviceType: device.deviceType || "disk",
    bus: device.diskBus || undefined,
    bootIndex: device.bootIndex,
    tag: device.tag || undefined,
    connection: {
      readOnly: said.data.access_mode === "ro",
      shared: said.data.multiattach === true,
      at: at.data,
    },
  };
}

const unreadable = (): Error =>
  CommonErrors.INVALID_ARGUMENT({ field: "input.device.connection_info", problem: "is not readable" });

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
