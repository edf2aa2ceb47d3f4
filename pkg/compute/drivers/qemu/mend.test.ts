import assert from "node:assert/strict";
import { Mend } from "./mend.js";
import type { MendTime } from "./mend.js";

/** Time that passes only when told. */
function handTime(): MendTime & { advance(ms: number): Promise<void>; timers(): number } {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly fn: () => void }>();
  return {
    nowMs: () => nowMs,
    setTimer: (fn, ms) => {
      const timer = { atMs: nowMs + ms, fn };
      timers.add(timer);
      return { stop: () => void timers.delete(timer) };
    },
    timers: () => timers.size,
    advance: async (ms) => {
      const endMs = nowMs + ms;
      for (;;) {
        const due = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        if (due === undefined) break;
        timers.delete(due);
        nowMs = due.atMs;
        due.fn();
        for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      }
      nowMs = endMs;
    },
  };
}

describe("Mend", () => {
  it("works at once, and later and later while it fails", async () => {
    const time = handTime();
    const runs: number[] = [];
    const mend = new Mend(async () => {
      runs.push(time.nowMs());
      if (runs.length < 10) throw new Error("not yet");
    }, time);
    mend.wanted();
    await time.advance(600_000);
    assert.deepEqual(
      runs.map((at, index) => at - (runs[index - 1] ?? 0)),
      [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000],
    );
    assert.equal(time.timers(), 0);
  });

  it("has one timer, however many things are lost while it fails", async () => {
    const time = handTime();
    let runs = 0;
    const mend = new Mend(async () => {
      runs += 1;
      throw new Error("never");
    }, time);
    for (let lost = 0; lost < 20; lost++) {
      mend.wanted();
      await time.advance(60_000);
    }
    assert.equal(time.timers(), 1);
    runs = 0;
    await time.advance(600_000);
    assert.equal(runs, 10);
  });

  it("brings back ever more slowly what does not last, and at once what did", async () => {
    const time = handTime();
    const runs: number[] = [];
    let lasts = false;
    const mend: Mend = new Mend(async () => {
      runs.push(time.nowMs());
      // Lost the moment that it is there.
      if (!lasts) void Promise.resolve().then(() => mend.wanted());
    }, time);
    mend.wanted();
    await time.advance(300_000);
    assert.ok(runs.length < 15, `${runs.length} times in five minutes`);
    lasts = true;
    await time.advance(300_000);
    runs.length = 0;
    mend.wanted();
    await time.advance(0);
    assert.equal(runs.length, 1);
  });
});
