import assert from "node:assert/strict";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { gathering } from "./gathering.js";

function aGathering(work = async (items: readonly number[]) => items.map((one) => one * 10)) {
  const clock = fakeClock();
  const calls: (readonly number[])[] = [];
  const ask = gathering<number, number>({
    clock,
    windowMs: 1_000,
    most: 3,
    work: async (_ctx, items) => {
      calls.push([...items]);
      return work(items);
    },
  });
  return { clock, calls, ask: (item: number, ctx = testCtx()) => ask(ctx, item) };
}

describe("gathering", () => {
  it("does once what came within the window, and answers each its own", async () => {
    const { clock, calls, ask } = aGathering();
    const both = Promise.all([ask(1), ask(2)]);
    await clock.advance(999);
    assert.deepEqual(calls, []);
    await clock.advance(1);
    assert.deepEqual(await both, [10, 20]);
    const later = ask(3);
    await clock.advance(1_000);
    assert.equal(await later, 30);
    assert.deepEqual(calls, [[1, 2], [3]]);
  });
  it("does not wait when there are enough", async () => {
    const { calls, ask } = aGathering();
    assert.deepEqual(await Promise.all([ask(1), ask(2), ask(3)]), [10, 20, 30]);
    assert.deepEqual(calls, [[1, 2, 3]]);
  });
  it("goes on when its first caller has left", async () => {
    const { clock, ask } = aGathering();
    const gone = new AbortController();
    const first = ask(1, testCtx({ signal: gone.signal }));
    const second = ask(2);
    gone.abort();
    await clock.advance(1_000);
    assert.deepEqual(await Promise.all([first, second]), [10, 20]);
  });
  it("fails all that were done together, and none after them", async () => {
    let broken = true;
    const { clock, ask } = aGathering(async (items) => {
      if (broken) throw new Error("no database");
      return [...items];
    });
    const both = Promise.allSettled([ask(1), ask(2)]);
    await clock.advance(1_000);
    assert.deepEqual(
      (await both).map(({ status }) => status),
      ["rejected", "rejected"],
    );
    broken = false;
    const later = ask(3);
    await clock.advance(1_000);
    assert.equal(await later, 3);
  });
});
