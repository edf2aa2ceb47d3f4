import assert from "node:assert/strict";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { CommonErrors } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { recoverHandovers } from "./recovery.js";
import type { OperationStore } from "./operation-store.js";

type Asked = Pick<OperationStore, "listDormant" | "getStoredOperation" | "activateHandover" | "dropHandover">;

describe("dormant copies that a dead conductor left", () => {
  it("are woken, dropped or left as their sources say, also when one of these is away", async () => {
    const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_PREEMPTED: PREEMPTED } = OperationState;
    const sources: Record<string, Partial<StoredOperation> | undefined> = {
      promised: { handedOverTo: "cell2" },
      underway: { state: RUNNING },
      elsewhere: { handedOverTo: "cell3", state: PREEMPTED },
    };
    const done: string[] = [];
    const store: Asked = {
      listDormant: async (_ctx, { database }) => {
        if (database === "cell0") throw CommonErrors.UNAVAILABLE({ what: "The cell" });
        return {
          operations: ["away", ...Object.keys(sources)].map((name) => ({ name, sourceDatabase: "cell1" })),
        };
      },
      getStoredOperation: async (_ctx, { name = "" }) => {
        if (name === "away") throw CommonErrors.UNAVAILABLE({ what: "The cell" });
        return { operation: StoredOperation.fromPartial(sources[name] ?? {}) };
      },
      activateHandover: async (_ctx, { name }) => {
        done.push(`wake ${name}`);
        return { operation: undefined, instance: undefined };
      },
      dropHandover: async (_ctx, { name }) => {
        done.push(`drop ${name}`);
        return {};
      },
    };
    const awake: string[] = [];
    await recoverHandovers(testCtx(), store, ["global", "cell0", "cell2"], 1, (_database, name) =>
      awake.push(name),
    );
    assert.deepEqual(done, ["wake promised", "drop elsewhere"]);
    assert.deepEqual(awake, ["promised"]);
  });
});
