import assert from "node:assert/strict";
import type { FeedEntry, PageLimit } from "./page.js";
import { createTail } from "./tail.js";

const entries = (from: number, to: number, bytes = 0): FeedEntry[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({
    revision: from + index,
    entityKind: "item",
    entityId: `e${from + index}`,
    projectId: "p",
    generation: 1,
    eventType: "changed",
    payload: Buffer.alloc(bytes),
    createdAt: 0n,
  }));
/** A page of so many. */
const rows = (count: number): PageLimit => ({ rows: count, bytes: 1_000 });
const at = (revision: number, incarnation = "one") => ({ incarnation, revision });

describe("the feed's tail", () => {
  it("gives what follows a position, as far as it has it", () => {
    const tail = createTail({ rows: 4, bytes: 1_000 });
    assert.equal(tail.after(at(0), rows(10)), undefined);
    tail.put("one", entries(11, 13));
    tail.put("one", entries(14, 15));
    const revisions = (revision: number, limit = 10, incarnation = "one") =>
      tail.after(at(revision, incarnation), rows(limit))?.entries.map((entry) => entry.revision);
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
    assert.deepEqual(tail.after(at(12), rows(2))?.position, at(14));
    assert.equal(tail.after(at(12), rows(2))?.head, 15);
  });

  it("holds no more bytes than it may, but always the newest entry", () => {
    const tail = createTail({ rows: 100, bytes: 1_000 });
    const held = (revision: number): number | undefined =>
      tail.after(at(revision), rows(100))?.entries.length;
    tail.put("one", entries(1, 30, 100));
    assert.deepEqual([held(19), held(20)], [undefined, 10]);
    tail.put("one", entries(31, 33, 250));
    assert.deepEqual([held(27), held(28)], [undefined, 5]);
    tail.put("one", entries(34, 34, 5_000));
    assert.deepEqual([held(32), held(33)], [undefined, 1]);
    tail.put("one", entries(35, 35, 100));
    assert.deepEqual([held(33), held(34)], [undefined, 1]);
  });

  it("gives no more bytes than asked for, but always one entry", () => {
    const tail = createTail({ rows: 100, bytes: 10_000 });
    tail.put("one", entries(1, 10, 400));
    const page = (bytes: number) => tail.after(at(0), { rows: 100, bytes })?.position.revision;
    assert.deepEqual([page(1_000), page(1_200), page(1), page(9_999)], [2, 3, 1, 10]);
  });

  it("begins anew after a gap and in another incarnation", () => {
    const tail = createTail();
    tail.put("one", entries(1, 3));
    tail.put("one", entries(7, 8));
    assert.equal(tail.after(at(2), rows(10)), undefined);
    assert.equal(tail.after(at(6), rows(10))?.entries.length, 2);
    tail.put("two", entries(9, 9));
    assert.equal(tail.after(at(7), rows(10)), undefined);
    assert.equal(tail.after(at(7, "two"), rows(10)), undefined, "what came before was another's");
    assert.equal(tail.after(at(8, "two"), rows(10))?.entries.length, 1);
  });

  it("knows that there is nothing more while only this process numbers", () => {
    const tail = createTail();
    tail.put("one", entries(1, 3));
    tail.lead(at(3), performance.now() + 60_000);
    assert.deepEqual(tail.after(at(3), rows(10)), { entries: [], head: 3, position: at(3) });
    assert.deepEqual(tail.after(at(3, ""), rows(10))?.position, at(3));
    assert.deepEqual(
      [
        tail.after(at(3, "two"), rows(10)),
        tail.after(at(4), rows(10)),
        tail.after(at(2), rows(10))?.entries.length,
      ],
      [undefined, undefined, 1],
    );
    tail.lead(at(3), performance.now() - 1);
    assert.equal(tail.after(at(3), rows(10)), undefined, "no longer");
  });

  it("wakes who waits", async () => {
    const tail = createTail();
    const woken = tail.wait(tail.rings, 60_000, new AbortController().signal);
    tail.put("one", entries(1, 1));
    await woken;
  });
});
