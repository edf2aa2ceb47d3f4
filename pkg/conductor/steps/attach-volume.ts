import type { AttachVolumeInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { BlockDeviceRecord } from "../../../gen/kilonova/cells/v1/server_records.js";
import attachCommand from "../../compute/commands/attach-volume.js";
import { done, fail } from "../engine/kind.js";
import type { Step } from "../engine/kind.js";
import { ConductorErrors } from "../errors.js";
import type { Ports } from "../ports.js";
import { agentReports, commandAgent } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { takeBack } from "./take-back.js";
import { devicesOf } from "./volume-devices.js";

/** Puts the volume into the guest. How it is reached is read from its record for each start. */
export const attachVolume = (ports: Ports): Step<AttachVolumeInput> => ({
  name: "attach",
  event: "compute_attach_volume",
  timeoutMs: 300_000,
  needs: "attach-volume",
  async run(call) {
    const host = call.server.hostInfo?.host ?? "";
    if (host === "") return fail(ConductorErrors.HOST_NOT_REGISTERED({ host }));
    const { volumeId } = call.input;
    const device = (await devicesOf(call, ports, true)).find((one) => one.volumeId === volumeId);
    if (device === undefined)
      return fail(ConductorErrors.VOLUME_ATTACHMENT_NOT_FOUND({ server: call.server.id, volume: volumeId }));
    return commandAgent(
      call,
      ports,
      { cell: call.database, host },
      attachCommand,
      { device },
      {
        done: () => done({}, undefined, { host, consumed: agentReports(call) }),
        failed: (result) => commandFailed(call, result, host),
      },
    );
  },
  async undo(call) {
    const host = call.server.hostInfo?.host ?? "";
    if (host === "") return undefined;
    const device = BlockDeviceRecord.fromPartial({ volumeId: call.input.volumeId });
    await takeBack(call, ports, { cell: call.database, host }, attachCommand, () => ({ device }));
    return undefined;
  },
});
