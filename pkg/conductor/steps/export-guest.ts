import { z } from "zod";
import type { MoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import type { ExportGuestInput, ExportGuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { LeavingDisk } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState } from "../../../gen/kilonova/type/v1/server.js";
import exportGuestThere from "../../compute/commands/export-guest.js";
import { CommonErrors } from "../../kernel/errors.js";
import { TaskState } from "../../model/instance-states.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { agentReports } from "./agent-command.js";
import { agentStep, commandFailed } from "./agent-step.js";
import { claimedHost } from "./destinations.js";
import { hostOf } from "./host-of.js";
import { ownMigrationId } from "./moves.js";
import { softTimeoutMs } from "./soft-timeout.js";
import { takeBack } from "./take-back.js";

/** The disks of the guest that leaves. Sizes travel as text, since JSON has no 64-bit numbers. */
export const leavingGuest = outputOf(
  "export-guest",
  z.object({
    disks: z.array(
      z.object({ name: z.string(), format: z.string(), sizeBytes: z.string(), dataBytes: z.string() }),
    ),
  }),
);

/** The disks as commands name them. */
export const leavingDisks = ({ disks }: z.output<(typeof leavingGuest)["schema"]>): LeavingDisk[] =>
  disks.map(({ name, format, sizeBytes, dataBytes }) =>
    LeavingDisk.fromPartial({ name, format, sizeBytes: BigInt(sizeBytes), dataBytes: BigInt(dataBytes) }),
  );

/**
 * Asks the guest to power itself off, and has its host offer the disks to the destination's agent. They stay
 * as they are, and nothing starts the guest until its host has heard that it stays: a host that is down is
 * waited for with that. Who cancels the move waits until the guest is off; a deletion does not.
 */
export const exportGuest = (ports: Ports): Step<MoveInput> => {
  const inputOf = (call: StepCall<MoveInput>): ExportGuestInput => ({
    transferId: ownMigrationId(call),
    toHost: call.outputs.find(claimedHost)?.host.host ?? "",
    softTimeoutMs: softTimeoutMs(call.instance, ports),
  });
  const step = agentStep<MoveInput, ExportGuestInput, ExportGuestOutput, never>(ports, {
    name: leavingGuest.step,
    event: "compute_resize_instance",
    taskState: TaskState.resizeMigrating,
    timeoutMs: 600_000,
    command: exportGuestThere,
    host: hostOf,
    input: inputOf,
    done: (call, { disks }, host) =>
      done(
        {
          disks: disks.map(({ name, format, sizeBytes, dataBytes }) => ({
            name,
            format,
            sizeBytes: sizeBytes.toString(),
            dataBytes: dataBytes.toString(),
          })),
        },
        { set: { powerState: PowerState.POWER_STATE_SHUTDOWN } },
        { host, consumed: agentReports(call) },
      ),
    failed: commandFailed,
  });
  return {
    ...step,
    // As with `shutDown` of shelving: else the guest would go off after it was kept, and after its start.
    finishes: true,
    needs: "move",
    async undo(call) {
      const at = { cell: call.database, host: hostOf(call) };
      const kept = await takeBack(call, ports, at, exportGuestThere, () => inputOf(call));
      if (kept === undefined) throw CommonErrors.UNAVAILABLE({ what: "The server's host" });
      return undefined;
    },
  };
};
