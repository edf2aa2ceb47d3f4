import assert from "node:assert/strict";
import { fakeClock } from "./clock.js";
import { until } from "./until.js";

describe("fakeClock", () => {
  it("wakes sleepers in the order of their times, with what they start then", async () => {
    const clock = fakeClock();
    const woken: [string, number][] = [];
    const sleeper = async (name: string, ...pauses: number[]): Promise<void> => {
      for (const ms of pauses) {
        await clock.sleep(ms);
        woken.push([name, clock.monotonicMs()]);
      }
    };
    const all = Promise.all([sleeper("a", 30, 30), sleeper("b", 20, 20)]);
    assert.equal(clock.sleeping, 2);
    await clock.advance(100);
    await all;
    assert.deepEqual(woken, [
      ["b", 20],
      ["a", 30],
      ["b", 40],
      ["a", 60],
    ]);
    assert.equal(clock.monotonicMs(), 100);
  });

  it("leaves a sleeper whose signal aborts, and moves the wall apart from the monotonic clock", async () => {
    const clock = fakeClock(0n);
    const stop = new AbortController();
    const sleeping = assert.rejects(clock.sleep(10, stop.signal), /stop/);
    stop.abort(new Error("stop"));
    await sleeping;
    assert.equal(clock.sleeping, 0);
    await clock.advance(5);
    assert.equal(clock.now(), 5_000n);
    clock.setNow(1n);
    assert.deepEqual([clock.now(), clock.monotonicMs()], [1n, 5]);
  });
});

describe("until", () => {
  it("returns what the condition gives, also after errors", async () => {
    let asked = 0;
    assert.equal(
      await until(() => {
        if (++asked < 3) throw new Error("not yet");
        return asked;
      }),
      3,
    );
  });

  it("says what it waited for and why it last failed", async () => {
    await assert.rejects(
      until(
        () => {
          throw new Error("still closed");
        },
        { timeoutMs: 20, what: "the gate" },
      ),
      (error: unknown) =>
        error instanceof Error &&
        /the gate/.test(error.message) &&
        error.cause instanceof Error &&
        error.cause.message === "still closed",
    );
  });
});
