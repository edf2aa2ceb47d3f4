import assert from "node:assert/strict";
import { fakeClock } from "../../../testkit/clock.js";
import { testCtx } from "../../../testkit/ctx.js";
import { Metrics } from "../../../platform/telemetry/index.js";
import { periodicMetrics, repeat } from "./repeat.js";

const EVERY_MS = 10_000;

function aLoop({ everyMs = EVERY_MS, soon = false, random = 0.5 } = {}) {
  const clock = fakeClock();
  const stop = new AbortController();
  const ends: string[] = [];
  const work = { runs: 0, now: async (_again: () => void): Promise<void> => {} };
  const ctx = testCtx({ signal: stop.signal, deadlineMs: undefined });
  const loop = repeat(
    ctx,
    { clock, random: () => random, told: (outcome, seconds) => ends.push(`${outcome} ${seconds}`) },
    { name: "test", everyMs, soon },
    async (_ctx, again) => {
      work.runs++;
      await work.now(again);
    },
  );
  return { clock, ends, work, loop, stop };
}

describe("a periodic task", () => {
  it("runs once per interval, and the pause begins when a run has ended", async () => {
    const { clock, work, stop, loop } = aLoop();
    await clock.advance(EVERY_MS - 1);
    assert.equal(work.runs, 0);
    let release = (): void => {};
    work.now = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    await clock.advance(1);
    await clock.advance(5 * EVERY_MS);
    assert.equal(work.runs, 1, "never two at once");
    release();
    await clock.advance(0);
    await clock.advance(EVERY_MS - 1);
    assert.equal(work.runs, 1);
    await clock.advance(1);
    assert.equal(work.runs, 2);
    stop.abort();
    release();
    await loop;
  });

  for (const [random, ms] of [
    [0, 0.8 * EVERY_MS],
    [1, 1.2 * EVERY_MS],
  ] as const)
    it(`comes up to a fifth earlier or later: after ${ms} ms`, async () => {
      const { clock, work, stop, loop } = aLoop({ random });
      await clock.advance(ms - 1);
      assert.equal(work.runs, 0);
      await clock.advance(1);
      assert.equal(work.runs, 1);
      stop.abort();
      await loop;
    });

  it("that was not done at the start comes within a minute", async () => {
    const { clock, work, stop, loop } = aLoop({ everyMs: 3_600_000, soon: true });
    await clock.advance(30_000);
    assert.equal(work.runs, 1);
    stop.abort();
    await loop;
  });

  it("that asks for it runs again within a minute, once", async () => {
    const { clock, work, stop, loop } = aLoop({ everyMs: 3_600_000 });
    work.now = async (again) => again();
    await clock.advance(3_600_000);
    assert.equal(work.runs, 1);
    work.now = async () => {};
    await clock.advance(30_000);
    assert.equal(work.runs, 2);
    await clock.advance(60_000);
    assert.equal(work.runs, 2);
    stop.abort();
    await loop;
  });

  it("that is turned off never runs", async () => {
    const { clock, work, loop } = aLoop({ everyMs: 0 });
    await loop;
    await clock.advance(EVERY_MS);
    assert.equal(work.runs, 0);
  });

  it("that fails goes on, and both is counted", async () => {
    const { clock, ends, work, stop, loop } = aLoop();
    work.now = async () => {
      throw new Error("no luck");
    };
    await clock.advance(EVERY_MS);
    work.now = async () => {};
    await clock.advance(EVERY_MS);
    assert.deepEqual(ends, ["failed 0", "done 0"]);
    stop.abort();
    await loop;
  });

  it("that is slow holds up no other", async () => {
    const [slow, quick] = [aLoop(), aLoop()];
    slow.work.now = () => new Promise(() => {});
    for (const { clock } of [slow, quick, quick]) await clock.advance(EVERY_MS);
    assert.deepEqual([slow.work.runs, quick.work.runs], [1, 2]);
    quick.stop.abort();
    await quick.loop;
  });
});

describe("the metrics of periodic tasks", () => {
  it("say how long runs took by outcome, and when one last went well", async () => {
    const metrics = new Metrics();
    const told = periodicMetrics(metrics, "h1", fakeClock());
    told("power-sync", "done", 2);
    told("power-sync", "failed", 3);
    const text = await metrics.expose();
    assert.match(text, /kilonova_compute_periodic_seconds_sum\{task="power-sync",outcome="done"\} 2/);
    assert.match(text, /kilonova_compute_periodic_seconds_sum\{task="power-sync",outcome="failed"\} 3/);
    assert.match(text, /periodic_last_done_timestamp_seconds\{task="power-sync",host="h1"\} 1767225600/);
  });
});
