import assert from "node:assert/strict";
import { wholePage } from "./paging.js";
import type { Stretch } from "./paging.js";

describe("a page of REST", () => {
  /** Numbers from 1 to 10, in pages of three at most. */
  const asked: Stretch[] = [];
  const ask = async (stretch: Stretch): Promise<{ numbers: number[]; nextPageToken: string }> => {
    asked.push(stretch);
    const from = Number(stretch.pageToken || stretch.marker || 0);
    const to = Math.min(10, from + Math.min(3, stretch.pageSize));
    const numbers = Array.from({ length: to - from }, (_, i) => from + i + 1);
    return { numbers, nextPageToken: to < 10 ? String(to) : "" };
  };
  const pageOf = async (limit: number, marker: string): Promise<readonly number[]> => {
    asked.length = 0;
    return (await wholePage({ limit, pageSize: Math.max(1, limit), marker }, "numbers", ask)).items;
  };

  it("is filled from as many of the api's as it takes", async () => {
    assert.deepEqual(await pageOf(7, ""), [1, 2, 3, 4, 5, 6, 7]);
    assert.deepEqual(asked, [
      { pageSize: 7, pageToken: "", marker: "" },
      { pageSize: 4, pageToken: "3", marker: "" },
      { pageSize: 1, pageToken: "6", marker: "" },
    ]);
  });

  it("ends with the list, and with its limit", async () => {
    assert.deepEqual(await pageOf(1000, "8"), [9, 10]);
    assert.deepEqual(await pageOf(3, "2"), [3, 4, 5]);
    assert.deepEqual(await pageOf(0, ""), []);
    assert.equal(asked.length, 1);
  });
});
