import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { patientTimer } from "./patient-timer.js";

describe("patientTimer", () => {
  /** Keeps this thread from its turn. */
  const standStill = (ms: number): void => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
  };

  it("calls when the time is over, once", async () => {
    let calls = 0;
    const startMs = performance.now();
    await new Promise<void>((resolve) => {
      patientTimer(1_200, () => {
        calls++;
        resolve();
      });
    });
    assert.ok(performance.now() - startMs >= 1_150);
    await sleep(50);
    assert.equal(calls, 1);
  });

  it("calls no more when the wait was ended", async () => {
    let calls = 0;
    const end = patientTimer(20, () => calls++);
    end();
    await sleep(60);
    assert.equal(calls, 0);
  });

  it("does not count time in which the process stood still", async () => {
    let calls = 0;
    const end = patientTimer(100, () => calls++);
    standStill(1_500);
    // What has come meanwhile is served after timers that are due.
    await sleep(0);
    assert.equal(calls, 0);
    await sleep(300);
    assert.equal(calls, 1);
    end();
  });

  it("gives up on a process that comes to its turn only now and then", async () => {
    let calls = 0;
    let turns = 0;
    const end = patientTimer(10, () => calls++, { ms: 20, mostForgiven: 3 });
    while (calls === 0 && turns < 20) {
      standStill(60);
      await sleep(0);
      turns++;
    }
    end();
    assert.equal(calls, 1);
    assert.ok(turns >= 4, `${turns} turns`);
  });
});
