import assert from "node:assert/strict";
import { FairQueue } from "./fair-queue.js";
import type { FairQueueOptions, Place } from "./fair-queue.js";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const place = (lane: string, key = "", preferred = false): Place => ({ lane, key, preferred });

/** A queue whose work ends when the test says so; `begun` has the names in order. */
function setting(options: Partial<FairQueueOptions> = {}) {
  const queue = new FairQueue({
    atOnce: 1,
    perKey: 100,
    perLane: 100,
    inAll: 100,
    maxWaitMs: 60_000,
    tooMany: () => new Error("too many"),
    busy: () => new Error("busy"),
    ...options,
  });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const add = (name: string, at: Place, signal = new AbortController().signal): Promise<void> =>
    queue.run(signal, at, () => {
      begun.push(name);
      return new Promise((resolve) => ends.push(resolve));
    });
  const finishAll = async (): Promise<void> => {
    for (let next = ends.shift(); next; next = ends.shift()) {
      next();
      await settle();
    }
  };
  return { queue, begun, add, finishAll };
}

describe("fair queue", () => {
  it("takes turns between lanes, whoever came with how many", async () => {
    const { begun, add, finishAll } = setting();
    const all = [1, 2, 3, 4, 5].map((n) => add(`a${n}`, place("a")));
    all.push(add("b1", place("b")), add("b2", place("b")), add("c1", place("c")));
    await finishAll();
    await Promise.all(all);
    assert.deepEqual(begun, ["a1", "a2", "b1", "c1", "a3", "b2", "a4", "a5"]);
  });

  it("takes turns between the keys of a lane", async () => {
    const { begun, add, finishAll } = setting();
    const all = [1, 2, 3].map((n) => add(`x${n}`, place("a", "x")));
    all.push(add("y1", place("a", "y")), add("z1", place("a", "z")));
    await finishAll();
    await Promise.all(all);
    assert.deepEqual(begun, ["x1", "x2", "y1", "z1", "x3"]);
  });

  it("gives every second turn to the preferred, however many lanes the others have", async () => {
    const { begun, add, finishAll } = setting();
    const all = [1, 2, 3, 4].map((n) => add(`s${n}`, place(`stranger ${n}`)));
    all.push(add("p1", place("p", "", true)), add("p2", place("p", "", true)));
    await finishAll();
    await Promise.all(all);
    assert.deepEqual(begun, ["s1", "p1", "s2", "p2", "s3", "s4"]);
  });

  it("never begins what its owner has left, and has the place free at once", async () => {
    const { begun, add, finishAll, queue } = setting({ perKey: 2 });
    const first = add("first", place("a"));
    const leaving = new AbortController();
    const left = [add("left", place("a"), leaving.signal), add("left", place("a"), leaving.signal)];
    const refused = left.map((one) => assert.rejects(one, /gone/));
    await assert.rejects(add("full", place("a")), /too many/);
    leaving.abort(new Error("gone"));
    await Promise.all(refused);
    assert.equal(queue.waiting, 0);
    const next = add("next", place("a"));
    await assert.rejects(add("late", place("a"), leaving.signal), /gone/);
    await finishAll();
    await Promise.all([first, next]);
    assert.deepEqual(begun, ["first", "next"]);
  });

  it("bounds key, lane and wait", async () => {
    const { add, finishAll } = setting({ perKey: 1, perLane: 2, maxWaitMs: 1 });
    const first = add("first", place("a"));
    const waiting = [add("1", place("a", "x")), add("2", place("a", "y"))].map((one) =>
      assert.rejects(one, /busy/),
    );
    await assert.rejects(add("3", place("a", "x")), /too many/);
    await assert.rejects(add("4", place("a", "z")), /too many/);
    await Promise.all(waiting);
    await finishAll();
    await first;
  });

  it("when all is full, takes the newest of the longest lane for a newcomer", async () => {
    const { begun, add, finishAll } = setting({ inAll: 3 });
    const first = add("first", place("a"));
    const [one, two, three] = ["1", "2", "3"].map((name) => add(name, place("a", name)));
    const gone = assert.rejects(three ?? first, /busy/);
    const newcomer = add("new", place("b"));
    await gone;
    await assert.rejects(add("4", place("a", "4")), /busy/);
    await finishAll();
    await Promise.all([first, one, two, newcomer]);
    assert.deepEqual(begun, ["first", "1", "new", "2"]);
  });

  it("goes on after work that failed", async () => {
    const { queue } = setting();
    const signal = new AbortController().signal;
    const failing = queue.run(signal, place("a"), () => Promise.reject(new Error("broken")));
    const next = queue.run(signal, place("a"), async () => "done");
    await assert.rejects(failing, /broken/);
    assert.equal(await next, "done");
  });
});
