import assert from "node:assert/strict";
import type { FeedEntry } from "./page.js";
import { createTail } from "./tail.js";

const entries = (from: number, to: number): FeedEntry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    revision: from + index,
    entityKind: "item",
    entityId: `e${from + index}`,
    projectId: "p",
    generation: 1,
    eventType: "changed",
    payload: Buffer.alloc(0),
    createdAt: 0n,
  }));
const at = (revision: number, incarnation = "one") => ({ incarnation, revision });

describe("the feed's tail", () => {
  it("gives what follows a position, as far as it has it", () => {
    const tail = createTail(4);
    assert.equal(tail.after(at(0), 10), undefined);
    tail.put("one", entries(11, 13));
    tail.put("one", entries(14, 15));
    const revisions = (revision: number, limit = 10, incarnation = "one") =>
      tail.after(at(revision, incarnation), limit)?.entries.map((entry) => entry.revision);
    const cases: [string, number[] | undefined, number[] | undefined][] = [
      ["in the middle", revisions(13), [14, 15]],
      ["just before the oldest kept", revisions(11), [12, 13, 14, 15]],
      ["before what was let go", revisions(10), undefined],
      ["at the end: only the database knows whether there is more", revisions(15), undefined],
      ["beyond the end", revisions(99), undefined],
      ["no more than asked for", revisions(11, 2), [12, 13]],
      ["any incarnation", revisions(14, 10, ""), [15]],
      ["another incarnation", revisions(14, 10, "two"), undefined],
    ];
    for (const [name, got, expected] of cases) assert.deepEqual(got, expected, name);
    assert.deepEqual(tail.after(at(12), 2)?.position, at(14));
    assert.equal(tail.after(at(12), 2)?.head, 15);
  });

  it("begins anew after a gap and in another incarnation", () => {
    const tail = createTail();
    tail.put("one", entries(1, 3));
    tail.put("one", entries(7, 8));
    assert.equal(tail.after(at(2), 10), undefined);
    assert.equal(tail.after(at(6), 10)?.entries.length, 2);
    tail.put("two", entries(9, 9));
    assert.equal(tail.after(at(7), 10), undefined);
    assert.equal(tail.after(at(8, "two"), 10)?.entries.length, 1);
  });

  it("knows that there is nothing more while only this process numbers", () => {
    const tail = createTail();
    tail.put("one", entries(1, 3));
    tail.lead(at(3), performance.now() + 60_000);
    assert.deepEqual(tail.after(at(3), 10), { entries: [], head: 3, position: at(3) });
    assert.deepEqual(tail.after(at(3, ""), 10)?.position, at(3));
    assert.deepEqual(
      [tail.after(at(3, "two"), 10), tail.after(at(4), 10), tail.after(at(2), 10)?.entries.length],
      [undefined, undefined, 1],
    );
    tail.lead(at(3), performance.now() - 1);
    assert.equal(tail.after(at(3), 10), undefined, "no longer");
  });

  it("wakes who waits", async () => {
    const tail = createTail();
    const woken = tail.wait(tail.rings, 60_000, new AbortController().signal);
    tail.put("one", entries(1, 1));
    await woken;
  });
});
