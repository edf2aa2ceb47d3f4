import assert from "node:assert/strict";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { LANES_OPEN } from "../../model/operation-states.js";
import { aCall } from "../testing/a-call.js";
import { awaitLanes } from "./await-lanes.js";

describe("await-lanes", () => {
  const kindsOf = async (lanes: readonly string[], waitingFor = ""): Promise<string> => {
    const operations = lanes.map((lane) =>
      StoredOperation.fromPartial({ lane, waitingFor, state: OperationState.OPERATION_STATE_RUNNING }),
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

  it("does not wait for what waits for its own end", async () => {
    assert.equal(await kindsOf(["life", "ports"], LANES_OPEN), "done");
    assert.equal(await kindsOf(["life", "ports"], "agent-report"), "park");
  });
});
