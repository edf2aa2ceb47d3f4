import assert from "node:assert/strict";
import { fakeClock } from "../../../testkit/clock.js";
import { testCtx } from "../../../testkit/ctx.js";
import type { TokenView } from "../domain/model.js";
import { KnownTokens } from "./known-tokens.js";

const hash = Buffer.from("h");

function setting(): {
  known: KnownTokens;
  reads: () => number;
  read: () => Promise<TokenView | undefined>;
  clock: ReturnType<typeof fakeClock>;
} {
  const clock = fakeClock();
  let reads = 0;
  const view = { record: { expiresAt: clock.now() + 60_000_000n } } as TokenView;
  return {
    known: new KnownTokens(clock),
    clock,
    reads: () => reads,
    read: async () => {
      reads += 1;
      return view;
    },
  };
}

describe("KnownTokens", () => {
  it("reads a token once", async () => {
    const { known, read, reads } = setting();
    for (let i = 0; i < 3; i++) assert.ok(await known.find(testCtx(), hash, read));
    assert.equal(reads(), 1);
  });

  it("forgets everything when something changes, also for a reading under way", async () => {
    const { known, read, reads } = setting();
    const store = known.watching({ revoke: async () => {}, list: async () => {} });
    await known.find(testCtx(), hash, read);
    await store.list();
    await known.find(testCtx(), hash, read);
    assert.equal(reads(), 1);
    await store.revoke();
    await known.find(testCtx(), hash, async (ctx) => {
      await store.revoke();
      void ctx;
      return read();
    });
    await known.find(testCtx(), hash, read);
    assert.equal(reads(), 3);
  });

  it("does not remember what is not there, nor a token beyond its end", async () => {
    const { known, read, reads, clock } = setting();
    assert.equal(await known.find(testCtx(), hash, async () => undefined), undefined);
    await known.find(testCtx(), hash, read);
    await clock.advance(61_000);
    await known.find(testCtx(), hash, read);
    assert.equal(reads(), 2);
  });
});
