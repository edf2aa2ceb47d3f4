import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { FairSlots } from "./fair-slots.js";
import { isAwaited } from "./signals.js";

/** A task that runs until it is told to end. */
function task(): { readonly run: () => Promise<string>; readonly end: () => void; running: boolean } {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const one = {
    running: false,
    end: () => end(),
    run: async () => {
      one.running = true;
      await ended;
      one.running = false;
      return "done";
    },
  };
  return one;
}
const never = new AbortController().signal;
const full = (): Error => new Error("full");

describe("FairSlots", () => {
  it("lets each key have its share only, and serves waiting keys in turn", async () => {
    const slots = new FairSlots({ slots: 3, perKey: 2, queuePerKey: 10 });
    const greedy = Array.from({ length: 5 }, task);
    const modest = Array.from({ length: 2 }, task);
    const all = [
      ...greedy.map((one) => slots.run("greedy", never, full, one.run)),
      ...modest.map((one) => slots.run("modest", never, full, one.run)),
    ];
    await turn();
    const running = (): boolean[] => [...greedy, ...modest].map((one) => one.running);
    assert.deepEqual(running(), [true, true, false, false, false, true, false]);
    greedy[0]?.end();
    await turn();
    assert.deepEqual(running(), [false, true, true, false, false, true, false]);
    greedy[1]?.end();
    await turn();
    assert.deepEqual(running(), [false, false, true, false, false, true, true], "the other key's turn");
    for (const one of [...greedy, ...modest]) one.end();
    assert.deepEqual(new Set(await Promise.all(all)), new Set(["done"]));
  });

  it("refuses what does not fit into the key's queue", async () => {
    const slots = new FairSlots({ slots: 1, perKey: 1, queuePerKey: 1 });
    const [first, second] = [task(), task()];
    const all = [first, second].map((one) => slots.run("k", never, full, one.run));
    await assert.rejects(slots.run("k", never, full, task().run), /full/);
    const other = task();
    all.push(slots.run("other", never, full, other.run));
    for (const one of [first, second, other]) one.end();
    await Promise.all(all);
  });

  it("gives up waiting when the signal aborts, and keeps nothing of it", async () => {
    const slots = new FairSlots({ slots: 1, perKey: 1, queuePerKey: 5 });
    const first = task();
    const running = slots.run("k", never, full, first.run);
    const stop = new AbortController();
    const waiting = slots.run("k", stop.signal, full, () => Promise.resolve("ran"));
    stop.abort(new Error("late"));
    await assert.rejects(waiting, /late/);
    first.end();
    await running;
    assert.equal(await slots.run("k", never, full, () => Promise.resolve("free")), "free");
  });

  it("leaves nothing behind on the signal of who has waited", async () => {
    const slots = new FairSlots({ slots: 1, perKey: 1, queuePerKey: 5 });
    const first = task();
    const { signal } = new AbortController();
    const running = slots.run("k", never, full, first.run);
    const waiting = slots.run("k", signal, full, () => Promise.resolve("ran"));
    assert.equal(isAwaited(signal), true);
    first.end();
    assert.deepEqual(await Promise.all([running, waiting]), ["done", "ran"]);
    assert.equal(isAwaited(signal), false);
  });

  it("gives the slot back after a failure", async () => {
    const slots = new FairSlots({ slots: 1, perKey: 1, queuePerKey: 1 });
    await assert.rejects(
      slots.run("k", never, full, () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(await slots.run("k", never, full, () => Promise.resolve("yes")), "yes");
  });
});
