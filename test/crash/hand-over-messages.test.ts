import assert from "node:assert/strict";
import { UpdateInstanceRequest } from "../../gen/kilonova/cells/v1/instances_service.js";
import { HandoverProtocol } from "../../gen/kilonova/cells/v1/operations_service.js";
import { OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { CommonErrors, KilonovaError } from "../../pkg/kernel/index.js";
import type { Clock } from "../../pkg/kernel/index.js";
import { awakening } from "../../pkg/cells/operations/hand-over/awakening.js";
import { systemClock } from "../../pkg/platform/process/clock.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { acquire, calls, whereIs } from "./hand-over-calls.js";
import { GOER, handOverScenario, openHandOvers } from "./hand-over-scenario.js";
import type { HandOverOptions, HandOverWorld, OperationStore } from "./hand-over-scenario.js";
import { newPlace } from "./matrix.js";
import { GOING } from "./toy.moves.js";

/** What conductors of the world have sent about hand-overs, to be sent once more. */
interface Sent {
  readonly what: string;
  again(): Promise<unknown>;
}

function recording(sent: Sent[]) {
  return (store: OperationStore): OperationStore => {
    const kept =
      <I, O>(what: string, call: (ctx: ReturnType<typeof testCtx>, request: I) => Promise<O>) =>
      (ctx: ReturnType<typeof testCtx>, request: I): Promise<O> => {
        sent.push({ what, again: () => call(testCtx(), request) });
        return call(ctx, request);
      };
    return {
      ...store,
      prepareHandover: kept("prepare", (ctx, request) => store.prepareHandover(ctx, request)),
      commitHandover: kept("commit", (ctx, request) => store.commitHandover(ctx, request)),
      activateHandover: kept("activate", (ctx, request) => store.activateHandover(ctx, request)),
    };
  };
}

describe("messages of hand-overs that come late, or twice", function () {
  this.timeout(120_000);
  const worlds: HandOverWorld[] = [];
  const world = async (options: HandOverOptions = {}): Promise<HandOverWorld> => {
    const place = await newPlace(handOverScenario, "messages");
    const opened = openHandOvers(place, options);
    worlds.push(opened);
    return opened;
  };
  afterEach(async () => {
    for (const opened of worlds.splice(0)) await opened.close();
  });

  const ways = [
    [GOING.newServer.kind, "global", "cell1", HandoverProtocol.HANDOVER_PROTOCOL_NEW_SERVER],
    [GOING.move.kind, "cell1", "cell2", HandoverProtocol.HANDOVER_PROTOCOL_MOVE],
    [GOING.return.kind, "cell2", "cell1", HandoverProtocol.HANDOVER_PROTOCOL_RETURN],
  ] as const;

  /** The server where the way begins, and the operation that goes it. */
  const ready = async (w: HandOverWorld, kind: string, source: string): Promise<string> => {
    await w.put(kind);
    if (kind === GOING.return.kind) {
      const moving = await w.accept(GOING.move.kind, "cell1");
      const earlier = calls(w, await acquire(w, "cell1", moving, "z"), "cell1", "cell2", ways[1][3]);
      await earlier.prepare("after");
      await earlier.commit();
      const { operation } = await earlier.activate("z");
      await w.store.commitStep(testCtx(), {
        database: "cell2",
        name: moving,
        fence: operation?.fence ?? 0n,
        state: OperationState.OPERATION_STATE_SUCCEEDED,
        currentStep: "after",
      });
    }
    return w.accept(kind, source);
  };

  for (const [kind, source, target, protocol] of ways) {
    it(`are refused after a take-over: ${kind}`, async () => {
      const w = await world();
      const name = await ready(w, kind, source);
      const first = calls(w, await acquire(w, source, name, "a"), source, target, protocol);
      await first.prepare("stale");
      await w.store.releaseOperations(testCtx(), { database: source, owner: "a" });
      const second = calls(w, await acquire(w, source, name, "b"), source, target, protocol);
      await assert.rejects(first.commit(), { reason: "FENCE_LOST" });
      await assert.rejects(first.activate("a", false), { reason: "FENCE_LOST" }, "nothing was promised");
      await second.prepare("after");
      await assert.rejects(first.prepare("stale"), { reason: "FENCE_LOST" });
      await second.commit();
      await assert.rejects(first.prepare("stale"), { reason: "FENCE_LOST" });
      await assert.rejects(first.commit(), { reason: "FENCE_LOST" });
      const { operation } = await second.activate("b");
      assert.equal(operation?.currentStep, "after");
      await assert.rejects(first.prepare("stale"), {
        reason: kind === GOING.return.kind ? "RECORD_NOT_KEPT" : "FENCE_LOST",
      });
      assert.deepEqual(await first.activate("a", false), { operation: undefined, instance: undefined });
      const again = await second.activate("b");
      assert.equal(again.operation?.fence, operation.fence, "the same owner hears the same once more");
      assert.deepEqual(await whereIs(w), [target]);
    });

    it(`carry what users changed while the copy was made: ${kind}`, async () => {
      const w = await world();
      const name = await ready(w, kind, source);
      const held = await acquire(w, source, name, "a");
      await calls(w, held, source, target, protocol).prepare("after");
      await w.instances.updateInstance(
        testCtx(),
        UpdateInstanceRequest.fromPartial({
          database: source,
          server: { id: GOER, name: "renamed" },
          updateMask: ["name"],
        }),
      );
      const { stale } = await calls(w, held, source, target, protocol).commit();
      assert.equal(stale?.server?.name, "renamed");
      const fresh = calls(w, { ...held, instance: stale }, source, target, protocol);
      await fresh.prepare("after");
      assert.equal((await fresh.commit()).stale, undefined);
      assert.equal((await fresh.activate("a")).instance?.server?.name, "renamed");
    });

    it(`are finished by whoever looks for the server: ${kind}`, async () => {
      const w = await world();
      const name = await ready(w, kind, source);
      const { prepare, commit } = calls(w, await acquire(w, source, name, "a"), source, target, protocol);
      await prepare("after");
      await commit();
      const at = (database: string) => w.instances.getInstance(testCtx(), { database, serverId: GOER });
      await assert.rejects(at(source), { reason: "SERVER_MOVED" });
      // The mapping of a move may still name the source: whoever asks there finishes it.
      if (source !== "global") assert.deepEqual(await whereIs(w), [target]);
      assert.equal((await at(target)).instance?.server?.id, GOER);
      assert.deepEqual(await whereIs(w), [target]);
      await w.settled();
      const { operation } = await w.store.getStoredOperation(testCtx(), { database: target, name });
      assert.equal(operation?.state, OperationState.OPERATION_STATE_SUCCEEDED);
    });
  }

  it("change nothing, whenever and in whatever order they are sent once more", async () => {
    const sent: Sent[] = [];
    const w = await world({ tap: recording(sent), dormantMs: 100 });
    await w.put(GOING.newServer.kind);
    const way = [
      [GOING.newServer.kind, "global"],
      [GOING.move.kind, "cell1"],
      [GOING.return.kind, "cell2"],
      [GOING.thereAndBack.kind, "cell1"],
    ] as const;
    for (const [kind, at] of way) {
      await w.accept(kind, at);
      await w.settled();
      const before = await w.endState();
      for (const order of [[...sent], [...sent].reverse()]) {
        for (const message of order) await message.again().catch(assertRefused);
        await w.settled();
        assert.deepEqual(await w.endState(), before, `after ${kind}`);
      }
    }
    assert.ok(sent.length >= 15, `${sent.length} messages`);
  });

  it("promise an operation to one place only", async () => {
    const w = await world();
    const [kind, source, target, protocol] = ways[0];
    const held = await acquire(w, source, await ready(w, kind, source), "a");
    const here = calls(w, held, source, target, protocol);
    const elsewhere = calls(w, held, source, "cell2", protocol);
    await here.prepare("after");
    await elsewhere.prepare("after");
    await here.commit();
    await assert.rejects(elsewhere.commit(), { reason: "FENCE_LOST" });
    await assert.rejects(elsewhere.activate("b", false), { reason: "FENCE_LOST" });
    await here.activate("a");
    assert.deepEqual(await whereIs(w), [target]);
  });

  it("wake a copy for whoever acquires it, and tell the next who asks nothing", async () => {
    const w = await world();
    const [kind, source, target, protocol] = ways[0];
    const held = await acquire(w, source, await ready(w, kind, source), "a");
    const { prepare, commit, activate } = calls(w, held, source, target, protocol);
    await prepare("after");
    await commit();
    assert.equal((await activate("")).operation?.owner, "");
    assert.deepEqual(await activate(""), { operation: undefined, instance: undefined });
    assert.deepEqual(await activate("a"), { operation: undefined, instance: undefined });
  });

  it("give the server back to nobody who keeps nothing", async () => {
    const w = await world();
    await w.put(GOING.return.kind);
    const name = await w.accept(GOING.return.kind, "cell1");
    const { prepare } = calls(
      w,
      await acquire(w, "cell1", name, "a"),
      "cell1",
      "cell2",
      HandoverProtocol.HANDOVER_PROTOCOL_RETURN,
    );
    await assert.rejects(prepare("after"), { reason: "RECORD_NOT_KEPT" });
  });

  it("are waited for by being told, not by looking again and again", async () => {
    const looks: string[] = [];
    const w = await world();
    const name = await ready(w, GOING.newServer.kind, "global");
    const { prepare, commit, activate } = calls(
      w,
      await acquire(w, "global", name, "a"),
      "global",
      "cell1",
      ways[0][3],
    );
    await prepare("after");
    await commit();
    const cell = w.stores.get("cell1");
    const statement = cell.db.statement.bind(cell.db);
    cell.db.statement = (ctx, what, fn) => {
      looks.push(what);
      return statement(ctx, what, fn);
    };
    // No pause ends by itself: only what is told can end the waiting.
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonicMs: () => systemClock.monotonicMs(),
      sleep: (_ms, signal) =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(CommonErrors.CANCELLED({ what: "The pause" })));
        }),
    };
    const { wake } = awakening({ stores: w.stores, deps: { ...w.deps, clock } }, { wake: () => {} });
    const woken = wake(testCtx(), cell, GOER);
    await until(async () => looks.includes("handover.find"), { what: "somebody to look for it" });
    await activate("a");
    await woken;
    assert.deepEqual(
      looks.filter((what) => what === "handover.find"),
      ["handover.find"],
    );
    assert.equal(cell.awoken.size, 0, "nobody listens any more");
  });
});

/** What a late message may be answered. */
function assertRefused(error: unknown): void {
  assert.ok(
    error instanceof KilonovaError && ["FENCE_LOST", "RECORD_NOT_KEPT", "PREEMPTED"].includes(error.reason),
    String(error),
  );
}
