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
import { toTimestamp } from "../../model/wire-time.js";
import type { CloudCall, StepResult } from "../engine/kind.js";
import { encodeJson } from "../engine/outputs.js";
import type { Ports } from "../ports.js";
import { OPERATION, aCall } from "../testing/a-call.js";
import { fanOut } from "./fan-out.js";

const { OPERATION_STATE_RUNNING: RUNNING, OPERATION_STATE_SUCCEEDED: DONE } = OperationState;
const FAILED = OperationState.OPERATION_STATE_FAILED;
const CHILD = declareSubjectOperation(subjectDeclaration("test.child", "host"));

const BEGIN_US = 1_767_225_600_000_000n;

/** Hosts whose operations take their time; the clock is moved by whoever sleeps. */
class World {
  readonly begun = new Map<string, { token: string; at: bigint }>();
  readonly down = new Set<string>();
  readonly refused = new Map<string, Error>();
  readonly failing = new Set<string>();
  /** How long a host takes, by its id. */
  takesMs = (_hostId: string): number => 600;
  most = 0;
  looks = 0;
  accepted = 0;
  nowUs = BEGIN_US;

  sinceStartMs = (): number => Number(this.nowUs - BEGIN_US) / 1000;

  #isLive(hostId: string): boolean {
    const { at } = this.begun.get(hostId) ?? assert.fail("not begun");
    return Number(this.nowUs - at) / 1000 < this.takesMs(hostId);
  }

  #state(hostId: string): Pick<Operation, "state" | "error" | "createdAt"> {
    const { at } = this.begun.get(hostId) ?? assert.fail("not begun");
    const createdAt = toTimestamp(at);
    if (this.#isLive(hostId)) return { state: RUNNING, error: undefined, createdAt };
    const error = { reason: "NO", domain: "", message: "", facts: new Map(), noValidHost: undefined };
    return this.failing.has(hostId)
      ? { state: FAILED, error, createdAt }
      : { state: DONE, error: undefined, createdAt };
  }

  readonly ports = {
    agents: { isUp: async (_ctx: unknown, { host }: { host: string }) => !this.down.has(host) },
    clock: {
      now: () => this.nowUs,
      sleep: async (ms: number) => {
        const until = this.nowUs + BigInt(ms) * 1000n;
        await Promise.resolve();
        if (this.nowUs < until) this.nowUs = until;
      },
    },
    children: {
      acceptSubjectOperation: async (_ctx: unknown, init: Partial<AcceptSubjectOperationRequest>) => {
        const { hostId, clientToken, kind, database } = AcceptSubjectOperationRequest.fromPartial(init);
        assert.deepEqual([kind, database], ["test.child", "cell1"]);
        const refusal = this.refused.get(hostId);
        if (refusal !== undefined) throw refusal;
        this.accepted++;
        const known = this.begun.get(hostId);
        if (known === undefined) {
          this.begun.set(hostId, { token: clientToken, at: this.nowUs });
          this.most = Math.max(this.most, [...this.begun.keys()].filter((id) => this.#isLive(id)).length);
        } else assert.equal(known.token, clientToken);
        return {
          operation: Operation.fromPartial({ name: hostId, ...this.#state(hostId) }),
          replayed: known !== undefined,
        };
      },
      getStoredOperation: async (_ctx: unknown, { name = "" }) => {
        this.looks++;
        return { operation: StoredOperation.fromPartial({ name, ...this.#state(name) }) };
      },
    },
  } as unknown as Ports;

  run(hosts: number, atOnce: number, note?: Buffer) {
    const {
      instance: _instance,
      server: _server,
      ...call
    } = aCall({
      operation: { name: operationNameOf(CLOUD, OPERATION), serverId: "" },
      database: "global",
      ...(note === undefined ? {} : { note }),
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

  /** Starts it as often as it takes. @returns how it ended, and after how many starts */
  async runToTheEnd(hosts: number, atOnce: number): Promise<{ result: StepResult; starts: number }> {
    let note: Buffer | undefined;
    for (let starts = 1; ; starts++) {
      const result = await this.run(hosts, atOnce, note);
      if (result.kind !== "park") return { result, starts };
      this.nowUs += BigInt(result.wakeAfterMs) * 1000n;
      note = encodeJson(result.note);
    }
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
    world.takesMs = () => 15_000;
    const first = await world.run(4, 2);
    assert.equal(first.kind, "park");
    assert.equal(world.sinceStartMs(), 10_000);
    assert.equal(world.begun.size, 2);
    const { result } = await world.runToTheEnd(4, 2);
    assert.equal(result.kind, "done");
    assert.deepEqual([world.begun.size, world.most], [4, 2]);
  });

  it("is looked at less often the longer it takes", async () => {
    const world = new World();
    world.takesMs = () => 3_600_000;
    const { result, starts } = await world.runToTheEnd(1, 1);
    assert.equal(result.kind, "done");
    // Every half a second that would be 7,200 looks.
    assert.ok(world.looks < 500 && starts < 400, `${world.looks} looks in ${starts} starts`);
    assert.ok(world.sinceStartMs() <= 3_610_000, "its end is seen within ten seconds");
    const quick = new World();
    await quick.runToTheEnd(1, 1);
    assert.ok(quick.sinceStartMs() < 1_200, "a quick one is seen soon");
  });

  it("is not asked for again on thousands of hosts where it has ended", async () => {
    const world = new World();
    world.failing.add("id7");
    world.takesMs = (hostId) => (hostId === "id3" ? 3_600_000 : 20_000);
    const { result, starts } = await world.runToTheEnd(2_000, 50);
    assert.ok(result.kind === "fail");
    assert.equal(result.details, "h7: NO");
    assert.ok(starts > 20);
    // Each start asks again for those only that are at work.
    assert.ok(world.accepted < 2_000 + 51 * starts, `${world.accepted} times in ${starts} starts`);
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
