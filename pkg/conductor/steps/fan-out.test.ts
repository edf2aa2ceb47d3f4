import assert from "node:assert/strict";
import {
  AcceptSubjectOperationRequest,
  StoredOperation,
} from "../../../gen/kilonova/cells/v1/operations_service.js";
import { HostTarget } from "../../../gen/kilonova/cells/v1/operation_inputs.js";
import { Operation, OperationState } from "../../../gen/kilonova/type/v1/operation.js";
import { CellsErrors } from "../../cells/errors.js";
import { CommonErrors } from "../../kernel/errors.js";
import { declareSubjectOperation } from "../../model/operation-declaration.js";
import { CLOUD, operationNameOf } from "../../model/operation-name.js";
import { subjectDeclaration } from "../../model/testing/a-declaration.js";
import type { CloudCall } from "../engine/kind.js";
import type { Ports } from "../ports.js";
import { OPERATION, aCall } from "../testing/a-call.js";
import { fanOut } from "./fan-out.js";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: DONE } = OperationState;
const FAILED = OperationState.OPERATION_STATE_FAILED;
const CHILD = declareSubjectOperation(subjectDeclaration("test.child", "host"));

/** Hosts whose operations end after so many looks. */
class World {
  readonly begun = new Map<string, { token: string; looks: number }>();
  readonly down = new Set<string>();
  readonly refused = new Map<string, Error>();
  readonly failing = new Set<string>();
  looksNeeded = 1;
  most = 0;

  #state(hostId: string): { state: OperationState; error: Operation["error"] } {
    const { looks } = this.begun.get(hostId) ?? assert.fail("not begun");
    const live = [...this.begun.values()].filter((one) => one.looks < this.looksNeeded).length;
    this.most = Math.max(this.most, live);
    if (looks < this.looksNeeded) return { state: RUNNING, error: undefined };
    return this.failing.has(hostId)
      ? {
          state: FAILED,
          error: { reason: "NO", domain: "", message: "", facts: new Map(), noValidHost: undefined },
        }
      : { state: DONE, error: undefined };
  }

  readonly ports = {
    agents: { isUp: async (_ctx: unknown, { host }: { host: string }) => !this.down.has(host) },
    clock: { sleep: async () => undefined },
    children: {
      acceptSubjectOperation: async (_ctx: unknown, init: Partial<AcceptSubjectOperationRequest>) => {
        const { hostId, clientToken, kind, database } = AcceptSubjectOperationRequest.fromPartial(init);
        assert.deepEqual([kind, database], ["test.child", "cell1"]);
        const refusal = this.refused.get(hostId);
        if (refusal !== undefined) throw refusal;
        const known = this.begun.get(hostId);
        if (known === undefined) this.begun.set(hostId, { token: clientToken, looks: 0 });
        else assert.equal(known.token, clientToken);
        return {
          operation: Operation.fromPartial({ name: hostId, ...this.#state(hostId) }),
          replayed: known !== undefined,
        };
      },
      getStoredOperation: async (_ctx: unknown, { name = "" }) => {
        const known = this.begun.get(name) ?? assert.fail("not begun");
        known.looks++;
        return { operation: StoredOperation.fromPartial({ name, ...this.#state(name) }) };
      },
    },
  } as unknown as Ports;

  run(hosts: number, atOnce: number) {
    const {
      instance: _instance,
      server: _server,
      ...call
    } = aCall({
      operation: { name: operationNameOf(CLOUD, OPERATION), serverId: "" },
      database: "global",
    });
    return fanOut<undefined, string>(this.ports, {
      name: "hosts",
      timeoutMs: 1_000,
      declaration: CHILD,
      atOnce,
      hosts: () =>
        Array.from({ length: hosts }, (_, index) =>
          HostTarget.fromPartial({ cell: "cell1", host: `h${index}`, hostId: `id${index}` }),
        ),
      input: () => "x",
    }).run(call as CloudCall<undefined>);
  }
}

describe("an operation of each of many hosts", () => {
  it("is begun once on each, so many at a time, and waited for", async () => {
    const world = new World();
    assert.equal((await world.run(10, 3)).kind, "done");
    assert.deepEqual([world.begun.size, world.most], [10, 3]);
    assert.equal(new Set([...world.begun.values()].map(({ token }) => token)).size, 10);
  });

  it("gives way while hosts take long, and finds what it has begun when it is started again", async () => {
    const world = new World();
    world.looksNeeded = 25;
    const first = await world.run(4, 2);
    assert.equal(first.kind, "park");
    assert.equal(world.begun.size, 2);
    let starts = 1;
    while ((await world.run(4, 2)).kind === "park") assert.ok(++starts < 10);
    assert.deepEqual([world.begun.size, world.most], [4, 2]);
  });

  it("fails once all others have been seen to, and tells operators which and why", async () => {
    const world = new World();
    world.down.add("h0");
    world.failing.add("id1");
    world.refused.set("id2", CellsErrors.HOST_CANNOT({ host: "h2", capability: "c" }));
    const result = await world.run(5, 2);
    assert.ok(result.kind === "fail");
    assert.deepEqual(
      [result.error.reason, result.error.message],
      ["HOSTS_FAILED", "3 of 5 hosts did not succeed."],
    );
    assert.equal(result.details, "h0: HOST_DOWN, h1: NO, h2: HOST_CANNOT");
    assert.equal(world.begun.size, 3);
  });

  it("is tried again when a cell is away", async () => {
    const world = new World();
    world.refused.set("id1", CommonErrors.UNAVAILABLE({ what: "A cell" }));
    await assert.rejects(world.run(2, 1), { reason: "UNAVAILABLE" });
  });

  it("has nothing to do without hosts", async () => assert.equal((await new World().run(0, 4)).kind, "done"));
});
