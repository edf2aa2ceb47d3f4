import type { EndMoveInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import detachCommand from "../../compute/commands/detach-volume.js";
import { CommonErrors } from "../../kernel/errors.js";
import { done } from "../engine/kind.js";
import type { Step, StepCall } from "../engine/kind.js";
import { Outputs } from "../engine/outputs.js";
import type { HostRef, Ports } from "../ports.js";
import { sendCommand } from "./agent-command.js";
import { giveVolumes } from "./give-volumes.js";
import { insist } from "./insist.js";
import { movedVolumes } from "./move-volumes.js";
import { hostAt, ledOn } from "./resting-migration.js";
import { devicesOf, isMissing } from "./volume-devices.js";

/**
 * Connects the host that the server had left to all volumes that the server has by now. Those that it has
 * lost since the move go out of the old guest first, which could not start with them.
 */
export const returnVolumes = (ports: Ports): Step<EndMoveInput> => ({
  name: "return-volumes",
  unfenced: true,
  event: "",
  timeoutMs: 600_000,
  async run(call) {
    const at = { cell: call.database, host: hostAt("source")(call) };
    if (!(await ports.agents.isUp(call.ctx, at)))
      throw CommonErrors.UNAVAILABLE({ what: "A host of the server" });
    await takeOutLost(call, ports, at);
    return done({}, await giveVolumes(call, ports, at));
  },
});

async function takeOutLost(call: StepCall<EndMoveInput>, ports: Ports, at: HostRef): Promise<void> {
  const moved = await volumesAtMove(call, ports);
  if (moved.length === 0) return;
  const present = new Set((await devicesOf(call, ports)).map(({ volumeId }) => volumeId));
  for (const volumeId of moved.filter((id) => !present.has(id))) {
    const ids = { commandId: `${call.stepId}/take-out/${volumeId}` };
    const isOut = await insist(
      call,
      ports,
      at,
      async () => (await sendCommand(call, ports, at, detachCommand, { volumeId }, ids)).result,
    );
    if (!isOut) throw CommonErrors.UNAVAILABLE({ what: "A host of the server" });
  }
}

/** What the guest had when it left; nothing once that operation is erased. */
async function volumesAtMove(
  call: StepCall<EndMoveInput>,
  { children }: Pick<Ports, "children">,
): Promise<readonly string[]> {
  const { ctx, database } = call;
  try {
    const { operation } = await children.getStoredOperation(ctx, { database, name: ledOn(call).operation });
    return new Outputs(operation?.steps ?? []).find(movedVolumes)?.volumeIds ?? [];
  } catch (error) {
    if (!isMissing(error)) throw error;
    return [];
  }
}
