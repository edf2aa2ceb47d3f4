import { z } from "zod";
import { CommandPhase } from "../../../gen/kilonova/compute/v1/agent_service.js";
import type { CreateImageInput } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { Quiesce } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { VmState } from "../../../gen/kilonova/type/v1/server.js";
import quiesceThere from "../../compute/commands/quiesce-guest.js";
import unquiesceThere from "../../compute/commands/unquiesce-guest.js";
import { asKilonovaError, isRetryable } from "../../kernel/errors.js";
import { AGENT_REPORT } from "../../model/signals.js";
import { done, fail, park } from "../engine/kind.js";
import type { Step, StepCall, StepResult } from "../engine/kind.js";
import { outputOf } from "../engine/outputs.js";
import { ConductorErrors } from "../errors.js";
import type { HostRef, Ports } from "../ports.js";
import { agentReports, sendCommand } from "./agent-command.js";
import { commandFailed } from "./agent-step.js";
import { hostOf } from "./host-of.js";
import { takeBack } from "./take-back.js";

type Call = StepCall<CreateImageInput>;
type AgentPorts = Pick<Ports, "agents" | "agentWaitMs"> & Ports;

/** A guest that is frozen serves nobody: its host thaws it by itself after that. */
const MOST_MS = 120_000;
const ASK_AGAIN_MS = 20_000;

const quiesced = outputOf("quiesce-guest", z.object({ frozen: z.boolean() }));

const isRequired = ({ input }: Call): boolean => input.quiesce === Quiesce.QUIESCE_REQUIRED;

/**
 * Has the guest's file systems stand still, if its image asks for an agent inside and it runs; one that must
 * stand still fails the operation when it does not. Taken back, it is thawed.
 */
export const quiesceGuest = (ports: AgentPorts): Step<CreateImageInput> => ({
  name: quiesced.step,
  event: "compute_quiesce_instance",
  timeoutMs: 300_000,
  async run(call) {
    if (!isAsked(call)) return done({ frozen: false });
    return atHost(call, ports, async (at) => {
      const input = { required: isRequired(call), mostMs: MOST_MS };
      const { result, output } = await sendCommand(call, ports, at, quiesceThere, input);
      const extra = { host: at.host, consumed: agentReports(call) };
      if (output !== undefined) return done({ frozen: output.frozen }, undefined, extra);
      if (result?.phase !== CommandPhase.COMMAND_PHASE_FAILED) return park(AGENT_REPORT, ASK_AGAIN_MS, extra);
      return isRequired(call)
        ? commandFailed(call, result, at.host)
        : done({ frozen: false }, undefined, extra);
    });
  },
  async undo(call) {
    const at = { cell: call.database, host: hostOf(call) };
    if (!isAsked(call) || at.host === "") return undefined;
    try {
      await takeBack(call, ports, at, quiesceThere, () => ({ required: false, mostMs: 0 }));
    } catch (error) {
      // An agent of the version before has frozen nobody.
      if (asKilonovaError(error).kind !== "unsupported") throw error;
    }
    return undefined;
  },
});

/** Has them go on. What had to stand still meanwhile, and did not, fails the operation. */
export const unquiesceGuest = (ports: AgentPorts): Step<CreateImageInput> => ({
  name: "unquiesce-guest",
  event: "compute_unquiesce_instance",
  timeoutMs: 300_000,
  finishes: true,
  async run(call) {
    if (!call.outputs.get(quiesced).frozen) return done();
    return atHost(call, ports, async (at) => {
      const { result, output } = await sendCommand(call, ports, at, unquiesceThere, {});
      const extra = { host: at.host, consumed: agentReports(call) };
      if (output === undefined && result?.phase !== CommandPhase.COMMAND_PHASE_FAILED)
        return park(AGENT_REPORT, ASK_AGAIN_MS, extra);
      return output?.stoodStill === true || !isRequired(call)
        ? done({}, undefined, extra)
        : fail(notQuiesced(call), extra);
    });
  },
});

const isAsked = ({ input, server }: Call): boolean =>
  input.quiesce !== Quiesce.QUIESCE_UNSPECIFIED && server.vmState === VmState.VM_STATE_ACTIVE;

const notQuiesced = ({ server }: Call): Error & ReturnType<typeof ConductorErrors.QUIESCE_FAILED> =>
  ConductorErrors.QUIESCE_FAILED({ server: server.id });

/**
 * Asks the guest's host. One that is down, or cannot do it, has no guest that stands still: that matters to
 * those that must.
 */
async function atHost(
  call: Call,
  ports: AgentPorts,
  ask: (at: HostRef) => Promise<StepResult>,
): Promise<StepResult> {
  const at = { cell: call.database, host: hostOf(call) };
  const without = (): StepResult => (isRequired(call) ? fail(notQuiesced(call)) : done({ frozen: false }));
  if (at.host === "") return without();
  try {
    return await ask(at);
  } catch (error) {
    const unable = asKilonovaError(error).kind === "unsupported";
    if (!unable && (!isRetryable(error) || (await ports.agents.isUp(call.ctx, at)))) throw error;
    return without();
  }
}
