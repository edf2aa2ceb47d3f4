import type { HostsServiceDefinition } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import type { Ctx } from "../../kernel/index.js";
import { KilonovaError } from "../../kernel/index.js";
import type { Client } from "../../platform/rpc/index.js";
import type { JournalEntry } from "./journal-entry.js";

/**
 * Tells the cell how a command ended. What the cell does not take, because the operation works on this host
 * no longer, is told for good: nobody waits for it.
 * @throws what the cell says otherwise: to be told again
 */
export const commandReport =
  (cells: Pick<Client<typeof HostsServiceDefinition>, "reportCommand">, cell: string, host: string) =>
  async (ctx: Ctx, entry: JournalEntry): Promise<void> => {
    try {
      await cells.reportCommand(ctx, {
        cell,
        host,
        commandId: entry.commandId,
        operation: entry.operation,
        fence: BigInt(entry.fence),
        succeeded: entry.phase === "done",
        errorReason: entry.errorReason ?? "",
        errorMessage: entry.errorMessage ?? "",
        errorDetails: entry.errorDetails ?? "",
      });
    } catch (error) {
      if (!(error instanceof KilonovaError && error.reason === "WRONG_OPERATION")) throw error;
      ctx.log.info("agent.report.refused", { operation: entry.operation });
    }
  };
