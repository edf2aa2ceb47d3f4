import assert from "node:assert/strict";
import { CommonErrors } from "../../../kernel/index.js";
import type { Ctx } from "../../../kernel/index.js";
import type { RightsChange } from "../../../model/rights-change.js";
import { fakeClock } from "../../../testkit/clock.js";
import { testCtx } from "../../../testkit/ctx.js";
import { until } from "../../../testkit/until.js";
import { OpenOutcomes } from "../../shared/open-outcome.js";
import type { TokenView } from "../domain/model.js";
import { E } from "../errors.js";
import { KnownTokens } from "./known-tokens.js";

const hash = Buffer.from("h");

function setting(): {
  known: KnownTokens;
  reads: () => number;
  read: () => Promise<TokenView | undefined>;
  clock: ReturnType<typeof fakeClock>;
  told: RightsChange[];
} {
  const clock = fakeClock();
  let reads = 0;
  const told: RightsChange[] = [];
  const view = { record: { userId: "u", expiresAt: clock.now() + 60_000_000n } } as TokenView;
  return {
    known: new KnownTokens(clock, (change) => told.push(change)),
    clock,
    told,
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
    const store = known.watching({ revoke: async (_ctx: Ctx) => {}, list: async (_ctx: Ctx) => {} });
    await known.find(testCtx(), hash, read);
    await store.list(testCtx());
    await known.find(testCtx(), hash, read);
    assert.equal(reads(), 1);
    await store.revoke(testCtx());
    await known.find(testCtx(), hash, async (ctx) => {
      await store.revoke(ctx);
      return read();
    });
    await known.find(testCtx(), hash, read);
    assert.equal(reads(), 3);
  });

  it("forgets those whom a change concerns, and tells it before the change is answered", async () => {
    const { known, read, reads, told } = setting();
    const store = known.watching(
      {
        revoke: async (_ctx: Ctx, _hash: Buffer) => {},
        deleteUser: async (_ctx: Ctx, _id: string) => {},
        insert: async (_ctx: Ctx) => {},
      },
      {
        revoke: (gone) => ({ of: "token", key: gone.toString("base64") }),
        deleteUser: (userId) => ({ of: "user", userId }),
        insert: () => undefined,
      },
    );
    const readsAfter = async (change: Promise<void>): Promise<number> => {
      await change;
      const before = reads();
      await known.find(testCtx(), hash, read);
      return reads() - before;
    };
    await known.find(testCtx(), hash, read);
    assert.equal(await readsAfter(store.insert(testCtx())), 0);
    assert.equal(await readsAfter(store.revoke(testCtx(), Buffer.from("other"))), 0);
    assert.equal(await readsAfter(store.revoke(testCtx(), hash)), 1);
    assert.equal(await readsAfter(store.deleteUser(testCtx(), "other")), 0);
    assert.equal(await readsAfter(store.deleteUser(testCtx(), "u")), 1);
    assert.deepEqual(
      told.map(({ of }) => of),
      ["token", "token", "user", "user"],
    );
  });

  it("forgets again after a change of which nobody knows whether it is stored", async () => {
    const { read, reads, clock, told } = setting();
    const known = new KnownTokens(clock, (change) => told.push(change), new OpenOutcomes([20]));
    const failing = known.watching(
      {
        updateUser: async (_ctx: Ctx, _id: string): Promise<void> => {
          throw CommonErrors.CANCELLED({ what: "The request" });
        },
        deleteUser: async (_ctx: Ctx, _id: string): Promise<void> => {
          throw E.NOT_FOUND({ what: "user", id: "u" });
        },
      },
      {
        updateUser: (userId) => ({ of: "user", userId }),
        deleteUser: (userId) => ({ of: "user", userId }),
      },
    );
    await assert.rejects(failing.deleteUser(testCtx(), "u"));
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(told.length, 1, "a refusal is final");
    await assert.rejects(failing.updateUser(testCtx(), "u"));
    // Still read as it was before the change.
    await known.find(testCtx(), hash, read);
    assert.deepEqual([reads(), told.length], [1, 2]);
    await until(() => told.length === 3);
    await known.find(testCtx(), hash, read);
    assert.equal(reads(), 2);
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
