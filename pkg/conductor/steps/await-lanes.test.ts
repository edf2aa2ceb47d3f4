import assert from "node:assert/strict";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { aCall } from "../testing/a-call.js";
import { awaitLanes } from "./await-lanes.js";

describe("await-lanes", () => {
  const kindsOf = async (lanes: readonly string[]): Promise<string> => {
    const operations = lanes.map((lane) =>
      StoredOperation.fromPartial({ lane, state: OperationState.OPERATION_STATE_RUNNING }),
    );
    const step = awaitLanes({
      lanes: {
        listStoredOperations: async () => ({ operations, nextPageToken: "", searchedTo: undefined }),
      },
    });
    return (await step.run(aCall())).kind;
  };

  it("waits for what runs beside, and not for itself", async () => {
    assert.equal(await kindsOf(["life", "volumes"]), "park");
    assert.equal(await kindsOf(["life"]), "done");
  });
});
