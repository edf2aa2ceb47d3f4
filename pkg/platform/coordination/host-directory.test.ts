import assert from "node:assert/strict";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { until } from "../../testkit/until.js";
import { hostDirectory } from "./host-directory.js";
import { MemoryCoordination } from "./memory.js";

const TTL_MS = 5000;

describe("platform/coordination: hosts", () => {
  it("gives absent hosts two lease times to announce themselves", async () => {
    const ending = new AbortController();
    const clock = fakeClock();
    const store = new MemoryCoordination(clock).connect();
    const directory = hostDirectory(store, TTL_MS, clock);
    const states: boolean[] = [directory.settled()];
    let changes = 0;
    directory.onChange(() => {
      changes++;
    });
    const following = directory.follow(testCtx({ signal: ending.signal }));
    await until(() => changes === 2, { what: "the first snapshot" });
    states.push(directory.settled());
    await clock.advance(2 * TTL_MS - 1);
    states.push(directory.settled());
    await clock.advance(1);
    states.push(directory.settled());
    assert.deepEqual(states, [false, false, false, true]);
    ending.abort();
    await following;
  });
});
