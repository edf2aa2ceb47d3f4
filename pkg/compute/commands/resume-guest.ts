import { GuestOutput, ResumeGuestInput } from "../../../gen/kilonova/compute/v1/commands.js";
import type { MemoryPhase } from "../driver.js";
import type { Command } from "./command.js";
import { part } from "./command.js";
import { recordOf } from "./record-of.js";

/** Lets a suspended guest go on from its memory; one that runs is left alone. */
const resumeGuest: Command<ResumeGuestInput, GuestOutput, MemoryPhase, "resume"> = {
  name: "resume-guest",
  input: ResumeGuestInput,
  output: GuestOutput,
  capability: { name: "suspend", methods: ["resume"] },
  progress: { memory: 100 },
  // A guest that has gone on cannot be brought back to where it stood.
  whenGivenUp: "finishes",
  async run({ ctx, serverId, host, tell }, { instance }) {
    await host.makeReady(ctx, recordOf(serverId, instance));
    await part(ctx, "driver.resume", async (c) => host.driver.resume(c, serverId, tell));
    return { powerState: await host.powerState(ctx, serverId) };
  },
};
export default resumeGuest;
