import { z } from "zod";
import type { ExtendVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { done } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { changeOf } from "./device-change.js";
import { devicesOf, isMissing } from "./volume-devices.js";

const MIB_PER_GIB = 1024n;

/** How large a server's volume is; undefined of one that the server does not have, or that is gone. */
export const volumeSize = outputOf("read-size", z.object({ sizeGib: z.number().optional() }));

/**
 * Asks the Block Storage service how large the volume is, and writes it down. There is nothing to take back:
 * it is as large as it is. A volume that the server does not have any more is nobody's failure, as in Nova.
 */
export const readVolumeSize = (ports: Pick<Ports, "cinder" | "records">): Step<ExtendVolumeInput> => ({
  name: volumeSize.step,
  event: "",
  timeoutMs: 120_000,
  async run(call) {
    const { volumeId } = call.input;
    const device = (await devicesOf(call, ports)).find((one) => one.volumeId === volumeId);
    const sizeGib = device === undefined ? undefined : await sizeOf();
    if (device === undefined || sizeGib === undefined) {
      call.ctx.log.warn("server.volume.not-extended", { instanceUuid: call.server.id, volumeId });
      return done({});
    }
    const sizeMib = BigInt(sizeGib) * MIB_PER_GIB;
    return done({ sizeGib }, { more: { blockDevices: [changeOf({ ...device, sizeMib }, ["size_mib"])] } });

    async function sizeOf(): Promise<number | undefined> {
      try {
        return (await ports.cinder.getVolume(call.ctx, volumeId)).sizeGib;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    }
  },
});
