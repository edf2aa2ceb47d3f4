import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { StreamRace } from "./race.js";

async function* of<T>(...items: T[]): AsyncGenerator<T, void> {
  yield* items;
}

describe("StreamRace", () => {
  it("reads all streams to their ends", async () => {
    const race = new StreamRace<number>();
    race.add(of(1, 2));
    race.add(of(3));
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 4; i++) seen.push(await race.next(sleep(20)));
    assert.deepEqual(seen.sort(), [1, 2, 3, undefined]);
    await race.close();
  });

  it("hears a timer that is ended early, also when an item had been waiting", async () => {
    const unheard: unknown[] = [];
    const note = (reason: unknown): void => {
      unheard.push(reason);
    };
    const others = process.rawListeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", note);
    try {
      const race = new StreamRace<number>();
      race.add(of(1));
      await sleep(1);
      const timer = new AbortController();
      assert.equal(await race.next(sleep(60_000, undefined, { signal: timer.signal })), 1);
      timer.abort();
      await sleep(5);
      await race.close();
    } finally {
      process.off("unhandledRejection", note);
      for (const listener of others) process.on("unhandledRejection", listener as (reason: unknown) => void);
    }
    assert.deepEqual(unheard, []);
  });
});
