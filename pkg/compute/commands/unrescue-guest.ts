import type { InstanceRecord } from "../../../gen/kilonova/cells/v1/instance_change.js";
import { GuestOutput, UnrescueGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import { PowerState, VmState } from "../../../gen/kilonova/type/v1/server.js";
import type { Command, CommandCall } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";

/** Ends a rescued guest and starts it from its own disk. One that is not rescued is only powered on. */
const unrescueGuest: Command<UnrescueGuestInput, GuestOutput, never, "unrescue"> & {
  readonly untilDone: true;
} = {
  name: "unrescue-guest",
  input: UnrescueGuestInput,
  output: GuestOutput,
  capability: { name: "rescue", methods: ["unrescue"] },
  // Half of it would leave a guest that is neither rescued nor running.
  whenGivenUp: "finishes",
  untilDone: true,
  async run(call, input) {
    const { ctx, serverId, host } = call;
    // A rescue may have failed because there is no guest: then there is nothing to take back.
    if (input.takesBack && (await host.driver.inspect(ctx, serverId)) === undefined)
      return { powerState: PowerState.POWER_STATE_NOSTATE };
    await part(ctx, "driver.unrescue", async (c) => host.driver.unrescue(c, serverId, input.softTimeoutMs));
    if (input.takesBack) await powerOnAgain(call, input);
    else await powerOn(call, input);
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default unrescueGuest;

/**
 * A server that is not RESCUED starts from its own disk, whatever its guest was left in: an administrator may
 * have reset the state of a rescued one.
 */
export async function leaveRescue(
  { ctx, serverId, host }: CommandCall,
  { server }: InstanceRecord,
): Promise<void> {
  if (server?.vmState === VmState.VM_STATE_RESCUED || host.driver.unrescue === undefined) return;
  await part(ctx, "driver.unrescue", async (c) => host.driver.unrescue?.(c, serverId, 0));
}

type Call = CommandCall<never, "unrescue">;

async function powerOn({ ctx, serverId, host }: Call, { instance }: UnrescueGuestInput): Promise<void> {
  await host.makeReady(ctx, recordOf(serverId, instance));
  await part(ctx, "driver.powerOn", (c) => host.driver.powerOn(c, serverId));
}

/** A guest that cannot be powered on stays off: its server's state tells, and the rescue is taken back. */
async function powerOnAgain(call: Call, input: UnrescueGuestInput): Promise<void> {
  const { ctx, serverId } = call;
  if (input.instance?.server?.vmState !== VmState.VM_STATE_ACTIVE) return;
  try {
    await powerOn(call, input);
  } catch (error) {
    ctx.signal.throwIfAborted();
    ctx.log.warn("agent.guest.left-off", { instanceUuid: serverId, error });
  }
}
