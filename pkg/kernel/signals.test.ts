import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { rootCtx, within } from "./ctx.js";
import { CommonErrors } from "./errors.js";
import { firstOf, follow, isAwaited, raceAbort, whenAborted, whenFirstAborted } from "./signals.js";

describe("whenAborted", () => {
  it("calls all who wait, once, in the order in which they came, and not those who left", () => {
    const controller = new AbortController();
    const called: string[] = [];
    whenAborted(controller.signal, () => called.push("a"));
    const leave = whenAborted(controller.signal, () => called.push("b"));
    whenAborted(controller.signal, () => called.push("c"));
    leave();
    leave();
    controller.abort();
    controller.abort();
    assert.deepEqual(called, ["a", "c"]);
  });

  it("lets one that throws take nothing from the others", async () => {
    const controller = new AbortController();
    const called: string[] = [];
    whenAborted(controller.signal, () => {
      throw new Error("stray");
    });
    whenAborted(controller.signal, () => called.push("b"));
    const handlers = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const stray = new Promise((resolve) => process.once("uncaughtException", resolve));
    controller.abort();
    const { message } = (await stray) as Error;
    for (const handler of handlers) process.on("uncaughtException", handler);
    assert.deepEqual([called, message], [["b"], "stray"]);
  });

  it("calls at once when the signal has aborted", () => {
    let called = 0;
    whenAborted(AbortSignal.abort(), () => called++)();
    assert.equal(called, 1);
  });

  it("lets callbacks leave, and take others along, while it calls", () => {
    const controller = new AbortController();
    const called: string[] = [];
    whenAborted(controller.signal, () => {
      called.push("a");
      leave();
    });
    const leave = whenAborted(controller.signal, () => called.push("b"));
    controller.abort();
    assert.deepEqual(called, ["a"]);
  });

  it("puts one listener on the signal for any number, and none of them stays", async () => {
    const { signal } = new AbortController();
    assert.equal(isAwaited(signal), false);
    const leaves = Array.from({ length: 1_000 }, () => follow(new AbortController(), signal));
    const races = Array.from({ length: 1_000 }, () => raceAbort(Promise.resolve(1), signal));
    assert.equal(getEventListeners(signal, "abort").length, 1);
    assert.equal(isAwaited(signal), true);
    for (const leave of leaves) leave();
    await Promise.all(races);
    assert.equal(isAwaited(signal), false);
  });
});

describe("the first of several signals", () => {
  const three = () => [new AbortController(), new AbortController(), new AbortController()] as const;
  const signalsOf = (of: readonly AbortController[]) => of.map(({ signal }) => signal);

  it("calls once, and lets go of the others", () => {
    const [one, two, other] = three();
    let calls = 0;
    whenFirstAborted(signalsOf([one, two, other]), () => calls++);
    two.abort();
    assert.deepEqual([calls, isAwaited(one.signal), isAwaited(other.signal)], [1, false, false]);
    one.abort();
    assert.equal(calls, 1);
  });

  it("calls at once when one has aborted, and waits for none", () => {
    const [one, two] = three();
    two.abort();
    let calls = 0;
    whenFirstAborted(signalsOf([one, two]), () => calls++);
    assert.deepEqual([calls, isAwaited(one.signal)], [1, false]);
  });

  it("is a signal with the reason of the one that aborted, until it is let go", () => {
    const [one, two, other] = three();
    const first = firstOf(signalsOf([one, two]));
    two.abort(new RangeError("gone"));
    assert.ok(first.signal.reason instanceof RangeError);
    const left = firstOf(signalsOf([one, other]));
    left.leave();
    assert.deepEqual([isAwaited(one.signal), isAwaited(other.signal)], [false, false]);
    other.abort();
    assert.equal(left.signal.aborted, false);
  });
});

describe("work with a limit of time", () => {
  it("ends with its work, and leaves nothing behind on the caller's signal", async () => {
    const { signal } = new AbortController();
    const ctx = rootCtx({ requestId: "r", signal });
    const waited = await within(ctx, 60_000, "It", async () => isAwaited(signal));
    assert.deepEqual([waited, isAwaited(signal)], [true, false]);
    await assert.rejects(
      within(ctx, 60_000, "It", () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(isAwaited(signal), false);
  });

  it("is told when the time is up, or its caller has left, whichever comes first", async () => {
    const controller = new AbortController();
    const ctx = rootCtx({ requestId: "r", signal: controller.signal });
    const never = new Promise<never>(() => {});
    const told: AbortSignal[] = [];
    const wait = (ms: number): Promise<never> =>
      within(ctx, ms, "It", ({ signal }) => {
        told.push(signal);
        return raceAbort(never, signal);
      });
    await assert.rejects(wait(20), { reason: "DEADLINE_EXCEEDED" });
    assert.equal(isAwaited(controller.signal), false);
    const left = wait(60_000);
    controller.abort(CommonErrors.CANCELLED({ what: "It" }));
    await assert.rejects(left, { reason: "CANCELLED" });
    assert.deepEqual(
      told.map(({ aborted }) => aborted),
      [true, true],
    );
  });
});
