import assert from "node:assert/strict";
import { OperationsServiceDefinition } from "../../../gen/kilonova/api/v1/operations_service.js";
import { StoredOperation } from "../../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { serviceActor } from "../../kernel/index.js";
import { operationName } from "../../model/operation-name.js";
import { toDuration } from "../../model/wire-time.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import type { TestApi } from "../testing/an-api.js";
import { anApi, as, member, stranger } from "../testing/an-api.js";
import { presentOperation } from "../view/operation-view.js";

const A = "00000000-0000-4000-8000-000000000001";
const NAME = operationName(A, "00000000-0000-4000-8000-00000000000a");
const operations = (api: TestApi) => api.channel.client(OperationsServiceDefinition);

function withOperation(state: OperationState, handedOverTo = ""): TestApi {
  const api = anApi();
  api.cells.put("cell1", { id: A });
  set(api, state, handedOverTo);
  return api;
}

function set(api: TestApi, state: OperationState, handedOverTo = ""): StoredOperation {
  const stored = StoredOperation.fromPartial({
    name: NAME,
    kind: "server.boot",
    serverId: A,
    projectId: "p1",
    state,
    currentStep: "spawn",
    input: Buffer.from("x"),
    owner: "conductor-1",
    handedOverTo,
    steps: [{ name: "spawn", state: "failed", attempts: 2, host: "h1" }],
    error: { reason: "NO_VALID_HOST", domain: "scheduler", message: "m" },
  });
  api.cells.putOperation("cell1", stored);
  return stored;
}

const tell = (api: TestApi, stored: StoredOperation, generation: bigint): void =>
  api.cells.feed("cell1").operation(presentOperation(stored), generation);
const reads = (api: TestApi): number =>
  api.cells.calls.filter((call) => call === "getStoredOperation").length;

describe("operations", () => {
  it("are shown without what only conductors need", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_FAILED);
    const { operation } = await operations(api).getOperation(as(member), { name: NAME });
    assert.deepEqual(
      [operation?.done, operation?.currentStep, operation?.error?.reason],
      [true, "", "NO_VALID_HOST"],
    );
    assert.deepEqual(
      operation?.steps.map(({ name, result, attempts }) => ({ name, result, attempts })),
      [{ name: "spawn", result: "error", attempts: 2 }],
    );
  });

  it("count as running in the middle of a hand-over", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_UNSPECIFIED, "cell1");
    const { operation } = await operations(api).getOperation(as(member), { name: NAME });
    assert.deepEqual([operation?.state, operation?.done], [OperationState.OPERATION_STATE_RUNNING, false]);
    assert.ok(api.cells.calls.includes("getInstance cell1"), "nobody completed the hand-over");
  });

  it("do not exist for strangers, and not under names that are none", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    await assert.rejects(operations(api).getOperation(as(stranger), { name: NAME }), {
      reason: "OPERATION_NOT_FOUND",
    });
    await assert.rejects(operations(api).getOperation(as(member), { name: "operations/x/y" }), {
      reason: "OPERATION_NOT_FOUND",
    });
    await assert.rejects(operations(api).waitOperation(as(stranger), { name: NAME }), {
      reason: "OPERATION_NOT_FOUND",
    });
  });

  it("are listed by server", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    assert.deepEqual(
      (await operations(api).listOperations(as(member), { serverId: A })).operations.map((one) => one.name),
      [NAME],
    );
  });

  it("are waited for on the feed, with one read at each change, and end well also when they failed", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    api.service.start(testCtx({ actor: serviceActor("api") }));
    await until(() => api.cells.feeds.every(({ watchers }) => watchers === 1));
    const waits = [1, 2, 3].map(() =>
      operations(api).waitOperation(as(member), { name: NAME, timeout: toDuration(5_000) }),
    );
    // Whether it is theirs, and how it stands.
    await until(() => reads(api) === 6);
    tell(api, set(api, OperationState.OPERATION_STATE_PARKED), 2n);
    await until(() => reads(api) === 9);
    tell(api, set(api, OperationState.OPERATION_STATE_FAILED), 3n);
    for (const { operation } of await Promise.all(waits))
      assert.deepEqual([operation?.done, operation?.error?.reason], [true, "NO_VALID_HOST"]);
    assert.equal(reads(api), 12);
    await api.service.close();
    assert.equal(api.cells.feed("cell1").watchers, 0);
  });

  it("are told as they are when the timeout passes first", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    const { operation } = await operations(api).waitOperation(as(member), {
      name: NAME,
      timeout: toDuration(30),
    });
    assert.equal(operation?.done, false);
    await assert.rejects(
      operations(api).waitOperation(as(member), { name: NAME, timeout: toDuration(700_000) }),
      { reason: "INVALID_REQUEST" },
    );
  });

  it("answer before the caller's own deadline", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    const { operation } = await operations(api).waitOperation(as(member, { deadlineMs: Date.now() + 400 }), {
      name: NAME,
    });
    assert.equal(operation?.done, false);
  });

  it("are cancelled by members while they run, and left alone when done", async () => {
    const api = withOperation(OperationState.OPERATION_STATE_RUNNING);
    await operations(api).cancelOperation(as(member), { name: NAME });
    assert.ok(api.cells.calls.includes("requestCancel"));
    await assert.rejects(
      operations(api).cancelOperation(as({ ...member, roles: ["reader"] }), { name: NAME }),
      { reason: "FORBIDDEN" },
    );
    const done = withOperation(OperationState.OPERATION_STATE_SUCCEEDED);
    assert.equal((await operations(done).cancelOperation(as(member), { name: NAME })).operation?.done, true);
    assert.ok(!done.cells.calls.includes("requestCancel"));
  });
});
