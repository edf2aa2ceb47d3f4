import assert from "node:assert/strict";
import type { FeedEntry } from "../../../platform/db/feed/index.js";
import { withinBytes } from "./feed.js";

const entry = (revision: number, bytes: number): FeedEntry => ({
  revision,
  entityKind: "instance",
  entityId: "e",
  projectId: "p",
  generation: 1,
  eventType: "changed",
  payload: Buffer.alloc(bytes),
  createdAt: 0n,
});

describe("an answer of ReadFeed", () => {
  for (const [name, sizes, expected] of [
    ["takes what fits", [40, 40, 40], 2],
    ["takes all when all fits", [40, 60], 2],
    ["takes one that is too large by itself, so that it goes on", [500, 10], 1],
    ["may be empty", [], 0],
  ] as const) {
    it(name, () => {
      const entries = sizes.map((bytes, index) => entry(index + 1, bytes));
      assert.equal(withinBytes(entries, 100).length, expected);
    });
  }
});
