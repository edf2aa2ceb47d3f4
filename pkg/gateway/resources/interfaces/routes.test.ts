import assert from "node:assert/strict";
import { Operation, OperationState } from "../../../../gen/kilonova/type/v1/operation.js";
import { startTestGateway } from "../../testing/test-gateway.js";
import type { Answer } from "../../testing/test-gateway.js";

const SERVER = "0e44cc9c-e052-415d-afbf-469b0d384170";
const body = { interfaceAttachment: { net_id: "70a599e0-31e7-49b7-b260-868f441e862b" } };

/** What an attachment is answered whose operation stands so when the wait is over. */
async function attach(operation: Parameters<typeof Operation.fromPartial>[0]): Promise<Answer> {
  const gateway = await startTestGateway({
    interfaces: {
      attachInterface: async () => ({ operation: Operation.fromPartial(operation), interface: undefined }),
    },
  });
  const answer = await gateway.ask(`/v2.1/servers/${SERVER}/os-interface`, { method: "POST", body });
  await gateway.close();
  return answer;
}

describe("POST os-interface", () => {
  it("tells why the attachment failed", async () => {
    const error = { reason: "PORT_IN_USE", domain: "conductor", message: "Port p is still in use." };
    const { status, json } = await attach({
      done: true,
      state: OperationState.OPERATION_STATE_FAILED,
      error,
    });
    assert.deepEqual(
      [status, json],
      [409, { conflictingRequest: { code: 409, message: "Port p is still in use." } }],
    );
  });

  it("is a conflict when something else has ended it, such as a deletion", async () => {
    const { status, text } = await attach({ done: true, state: OperationState.OPERATION_STATE_PREEMPTED });
    assert.equal(status, 409);
    assert.match(text, /Another action on instance 0e44cc9c\S+ has ended the attachment/);
  });

  it("is not waited for without end", async () => {
    const { status } = await attach({ done: false, state: OperationState.OPERATION_STATE_RUNNING });
    assert.equal(status, 504);
  });
});
