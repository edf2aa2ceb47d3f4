import assert from "node:assert/strict";
import { CellsErrors } from "../../cells/errors.js";
import { CommonErrors } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { commandReport } from "./command-report.js";
import type { JournalEntry } from "./journal-entry.js";

const entry: JournalEntry = {
  serverId: "s",
  commandId: "c",
  operation: "operations/s/o",
  fence: "3",
  phase: "done",
  at: 0,
};

describe("commandReport", () => {
  const reporting = (error?: Error) =>
    commandReport(
      {
        reportCommand: async () => {
          if (error) throw error;
          return {};
        },
      },
      "cell1",
      "h1",
    )(testCtx(), entry);

  it("is content when the operation has left the host, and is told again after any other failure", async () => {
    await reporting();
    await reporting(CellsErrors.WRONG_OPERATION({ operation: entry.operation }));
    await assert.rejects(reporting(CommonErrors.UNAVAILABLE({ what: "cells" })), { reason: "UNAVAILABLE" });
  });
});
