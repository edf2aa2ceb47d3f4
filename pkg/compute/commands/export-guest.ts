import { ExportGuestInput, ExportGuestOutput } from "../../../gen/kilonova/compute/v1/commands.js";
import { CommonErrors } from "../../kernel/index.js";
import type { Command } from "./command.js";
import { part, undoneBy } from "./command.js";
import keepGuest from "./keep-guest.js";

/**
 * Ends a guest and offers its disks to one other host: nothing starts it here until it is kept. Its ports are
 * let go of, since they will be somewhere else; a start plugs them again.
 */
const exportGuest: Command<ExportGuestInput, ExportGuestOutput, never, "exportDisks" | "openLeavingDisk"> = {
  name: "export-guest",
  input: ExportGuestInput,
  output: ExportGuestOutput,
  capability: { name: "move", methods: ["exportDisks", "openLeavingDisk"] },
  whenGivenUp: "stops",
  undo: undoneBy(keepGuest, () => ({})),
  async run({ ctx, serverId, host }, { transferId, toHost, softTimeoutMs }) {
    for (const [field, value] of Object.entries({ transfer_id: transferId, to_host: toHost }))
      if (value === "")
        throw CommonErrors.INVALID_ARGUMENT({ field: `input.${field}`, problem: "is missing" });
    const disks = await part(ctx, "driver.exportDisks", async (c) =>
      host.driver.exportDisks(c, serverId, { transferId, toHost }, softTimeoutMs),
    );
    ctx.signal.throwIfAborted();
    await host.unplug(ctx, serverId);
    return {
      disks: disks.map(({ name, format, sizeBytes, dataBytes }) => ({
        name,
        format,
        sizeBytes: BigInt(sizeBytes),
        dataBytes: BigInt(dataBytes),
      })),
    };
  },
};
export default exportGuest;
