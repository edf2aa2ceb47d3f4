import assert from "node:assert/strict";
import { anyOperation } from "../../../model/operation-declaration.js";
import { aDeclaration } from "../../../model/testing/a-declaration.js";
import { MAX_WAITING_IN_LANE, closesLanes, placeIn } from "./lanes.js";

describe("a lane's rules", () => {
  const free = { busy: false, waiting: 0 };
  const busy = { busy: true, waiting: 0 };
  for (const [view, contention, place] of [
    [free, "refused", "begins"],
    [free, "waits", "begins"],
    [free, "pre-empts", "begins"],
    [free, "pre-empts-all", "begins"],
    [busy, "refused", "refused"],
    [busy, "waits", "waits"],
    [busy, "pre-empts", "takes-over"],
    [busy, "pre-empts-all", "takes-over"],
    [{ busy: false, waiting: 1 }, "waits", "waits"],
    [{ busy: true, waiting: MAX_WAITING_IN_LANE - 1 }, "waits", "waits"],
    [{ busy: true, waiting: MAX_WAITING_IN_LANE }, "waits", "refused"],
  ] as const)
    it(`${contention} ${place} when ${JSON.stringify(view)}`, () =>
      assert.equal(placeIn(view, contention), place));

  it("closes all lanes for what takes over all of them, and for what it does not know", () => {
    const kind = anyOperation(aDeclaration("test.kind"));
    assert.equal(closesLanes(kind, Buffer.from("join")), true);
    assert.equal(closesLanes(kind, Buffer.from("pre-empt")), false);
    assert.equal(closesLanes(undefined, Buffer.alloc(0)), true);
  });
});
