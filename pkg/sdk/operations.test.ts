import assert from "node:assert/strict";
import { KilonovaError, OperationFailed } from "./errors.js";
import { OperationState, OperationsService, ServersService } from "./messages.gen.js";
import { Code, clientOf, refusal } from "./testing/scripted-cloud.js";

const running = { name: "operations/s/1", kind: "server.boot", state: OperationState.RUNNING };
const succeeded = { ...running, state: OperationState.SUCCEEDED, done: true };
const failed = {
  ...running,
  state: OperationState.FAILED,
  done: true,
  requestId: "req-9",
  error: { reason: "NO_VALID_HOST", message: "no host will do", facts: { hosts: "2" } },
};

/** A cloud where a boot is waited for: what each waiting call is answered, in turn. */
function booting(...answers: readonly (object | Error)[]) {
  let at = 0;
  return clientOf(({ rpc }) => {
    rpc(ServersService.method.createServers, () => ({ servers: [{ id: "s" }], operations: [running] }));
    rpc(ServersService.method.deleteServer, () => ({ operation: running }));
    rpc(OperationsService.method.waitOperation, ({ name }) => {
      assert.equal(name, running.name);
      const answer = answers[Math.min(at++, answers.length - 1)];
      if (answer instanceof Error) throw answer;
      return { operation: answer ?? running };
    });
  });
}

describe("operations in the SDK", () => {
  it("give their result", async () => {
    // The field is not there in every version of the contract; what it holds is handed on.
    assert.equal(await booting(succeeded).servers.delete({ serverId: "s" }).result(), undefined);
    const call = booting(failed).servers.delete({ serverId: "s" }).result();
    await assert.rejects(call, (error) => error instanceof OperationFailed);
  });

  it("are waited for, however often that breaks off", async () => {
    const away = refusal(Code.Unavailable, "GOING_AWAY");
    const cloud = booting(running, away, away, running, succeeded);
    const answer = await cloud.servers.create({ name: "a" }).finished();
    assert.equal(answer.servers[0]?.id, "s");
    assert.deepEqual(
      answer.operations.map(({ done, state }) => ({ done, state })),
      [{ done: true, state: OperationState.SUCCEEDED }],
    );
  });

  it("that fail throw why", async () => {
    const cloud = booting(failed);
    const { operation } = await cloud.servers.delete({ serverId: "s" });
    assert.ok(operation);
    assert.equal(operation.done, false);
    const error = await operation.result().catch((thrown: unknown) => thrown);
    assert.ok(error instanceof OperationFailed && error instanceof KilonovaError);
    assert.equal(error.message, "no host will do");
    assert.ok(error.is("NO_VALID_HOST"));
    assert.deepEqual([error.metadata, error.requestId], [{ hosts: "2" }, "req-9"]);
    assert.equal(error.operation.state, OperationState.FAILED);
    assert.equal((await operation.wait()).error?.reason, "NO_VALID_HOST", "wait() tells and does not throw");
  });

  it("that were cancelled or taken over throw too", async () => {
    for (const [state, name] of [
      [OperationState.CANCELLED, "CANCELLED"],
      [OperationState.PREEMPTED, "PREEMPTED"],
    ] as const) {
      const call = booting({ ...running, state, done: true })
        .servers.delete({ serverId: "s" })
        .finished();
      await assert.rejects(call, (error) => error instanceof OperationFailed && error.reason === name);
    }
  });

  it("are given up when the time is over", async () => {
    const cloud = booting(running);
    const call = cloud.servers.delete({ serverId: "s" }).finished({ timeoutMs: 30 });
    await assert.rejects(
      call,
      (error) => error instanceof KilonovaError && error.code === "DEADLINE_EXCEEDED",
    );
  });

  it("are no longer waited for when they cannot be read", async () => {
    const cloud = booting(refusal(Code.NotFound, "OPERATION_NOT_FOUND"));
    await assert.rejects(cloud.servers.delete({ serverId: "s" }).finished(), /OPERATION_NOT_FOUND/);
  });
});
