import assert from "node:assert/strict";
import { until } from "./until.js";

/** As a machine does that has no time for this process. */
const standStill = (ms: number): void => {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
};

describe("waiting for a condition", () => {
  it("does not count time in which the process stood still", async () => {
    let asked = 0;
    await until(
      () => {
        if (++asked === 1) standStill(2_500);
        return asked > 1;
      },
      { timeoutMs: 1_000 },
    );
    assert.equal(asked, 2);
  });

  it("ends when its time is over, with what was wrong last", async () => {
    const wrong = new Error("not yet");
    await assert.rejects(
      until(() => Promise.reject(wrong), { timeoutMs: 50, what: "nothing" }),
      (error: Error) => error.message === "waited 50 ms in vain for nothing" && error.cause === wrong,
    );
  });
});
