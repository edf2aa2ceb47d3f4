import assert from "node:assert/strict";
import { testCtx } from "../../../testkit/ctx.js";
import { OpenOutcomes } from "../../shared/open-outcome.js";
import { changeFeed } from "./change-feed.js";

const longMs = 30_000;

describe("feed of changes to the hosts' switches", () => {
  it("answers at once whoever knows no mark, an old one, or one of another run", async () => {
    const feed = changeFeed("b");
    const first = await feed.wait(testCtx(), undefined, longMs);
    feed.moved();
    const second = await feed.wait(testCtx(), first, longMs);
    assert.notEqual(second, first);
    assert.equal(await feed.wait(testCtx(), "a.1", longMs), second);
  });

  it("wakes all who wait when something changes, and gives the same mark when nothing did", async () => {
    const feed = changeFeed("a");
    const mark = await feed.wait(testCtx(), undefined, 0);
    assert.equal(await feed.wait(testCtx(), mark, 1), mark);
    const waiting = Promise.all([feed.wait(testCtx(), mark, longMs), feed.wait(testCtx(), mark, longMs)]);
    feed.moved();
    const [one, two] = await waiting;
    assert.equal(one, two);
    assert.notEqual(one, mark);
  });

  it("tells again of what may be stored only later", async () => {
    const feed = changeFeed("a", new OpenOutcomes([20, 40]));
    const marks = [await feed.wait(testCtx(), undefined, 0)];
    feed.mayMove();
    for (let told = 0; told < 3; told++) marks.push(await feed.wait(testCtx(), marks.at(-1), longMs));
    assert.equal(new Set(marks).size, 4);
    feed.mayMove();
    feed.close();
    const last = await feed.wait(testCtx(), undefined, 0);
    await new Promise((resolve) => setTimeout(resolve, 80));
    assert.equal(await feed.wait(testCtx(), undefined, 0), last);
  });

  it("holds nobody once it is closed, nor one whose request ended", async () => {
    const feed = changeFeed("a");
    const mark = await feed.wait(testCtx(), undefined, 0);
    const gone = new AbortController();
    const cut = feed.wait({ ...testCtx(), signal: gone.signal }, mark, longMs);
    gone.abort(new Error("client went away"));
    await assert.rejects(cut, /client went away/);
    const waiting = feed.wait(testCtx(), mark, longMs);
    feed.close();
    assert.deepEqual([await waiting, await feed.wait(testCtx(), mark, longMs)], [mark, mark]);
  });
});
