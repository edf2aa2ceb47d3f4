import assert from "node:assert/strict";
import { createPacer } from "./pacer.js";

/** A pacer under a clock that only moves when work does. */
function world() {
  let time = 0;
  const timers: { readonly at: number; fn(): void }[] = [];
  const log: string[] = [];
  const pacer = createPacer({
    firstMs: 2,
    sliceMs: 4,
    now: () => time,
    later: (fn, ms) => {
      timers.push({ at: time + ms, fn });
    },
  });
  return {
    pacer,
    log,
    /** Work of so many milliseconds, one per step. */
    work: (name: string, ms: number) =>
      function* (): Generator<void, string> {
        for (let step = 0; step < ms; step++) {
          log.push(name);
          time++;
          yield;
        }
        return name;
      },
    /** Lets the process do something else, and then whatever is due. */
    tick: async (): Promise<boolean> => {
      const next = timers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) return false;
      log.push(next.at > time ? "idle" : "turn");
      time = Math.max(time, next.at);
      next.fn();
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    },
  };
}
const signal = new AbortController().signal;

describe("pacer", () => {
  it("gives the result of short work at once", () => {
    const { pacer, work } = world();
    assert.equal(pacer.run(signal, work("a", 1)), "a");
  });
  it("deals slices in turn, one between two rests as long", async () => {
    const { pacer, work, tick, log } = world();
    const both = Promise.all([pacer.run(signal, work("a", 9)), pacer.run(signal, work("b", 7))]);
    log.length = 0;
    while (await tick());
    assert.equal(log.join(" "), "idle a a a a idle b b b b idle a a a idle b idle");
    assert.deepEqual(await both, ["a", "b"]);
  });
  it("stops work whose caller has left", async () => {
    const { pacer, work, tick, log } = world();
    const caller = new AbortController();
    const running = Promise.resolve(pacer.run(caller.signal, work("a", 1000)));
    await tick();
    caller.abort(new Error("left"));
    await Promise.all([assert.rejects(running, /left/), tick()]);
    assert.equal(log.filter((one) => one === "a").length, 6);
    assert.throws(() => pacer.run(caller.signal, work("a", 1)), /left/);
  });
  it("tells work how long it ran, rests excluded", async () => {
    const { pacer, work, tick } = world();
    const told: number[] = [];
    const running = pacer.run(signal, (ranMs) => {
      const inner = work("a", 7)();
      return (function* () {
        for (let step = inner.next(); step.done !== true; step = inner.next()) {
          told.push(ranMs());
          yield;
        }
        return told;
      })();
    });
    while (await tick());
    assert.deepEqual(await running, [1, 2, 3, 4, 5, 6, 7]);
  });
  it("lets failures through and goes on with the others", async () => {
    const { pacer, work, tick } = world();
    const broken = Promise.resolve(
      pacer.run(signal, function* (): Generator<void, string> {
        yield* work("a", 5)();
        throw new Error("broken");
      }),
    );
    const other = pacer.run(signal, work("b", 7));
    const expected = assert.rejects(broken, /broken/);
    while (await tick());
    await expected;
    assert.equal(await other, "b");
  });
});
