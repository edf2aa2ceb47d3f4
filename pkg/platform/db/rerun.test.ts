import assert from "node:assert/strict";
import { CommonErrors, KilonovaError } from "../../kernel/errors.js";
import { fakeClock } from "../../testkit/clock.js";
import { testCtx } from "../../testkit/ctx.js";
import { toDbError } from "./classify.js";
import { Repeatable, backoffMs, rerun } from "./rerun.js";
import { StatementNames } from "./statement-names.js";

const repeatable = (code: string): Repeatable =>
  new Repeatable(toDbError(Object.assign(new Error("x"), { code })));
/** Runs to the end while pushing the fake clock along. */
async function drive<T>(promise: Promise<T>, clock: ReturnType<typeof fakeClock>): Promise<T> {
  let settled = false;
  const watched = promise.finally(() => {
    settled = true;
  });
  watched.catch(() => {});
  while (!settled) await clock.advance(100);
  return watched;
}
const reasonOf =
  (reason: string) =>
  (error: unknown): boolean =>
    error instanceof KilonovaError && error.reason === reason;

describe("rerun", () => {
  it("runs again after a conflict until it succeeds", async () => {
    const clock = fakeClock();
    const seen: number[] = [];
    const result = await drive(
      rerun(testCtx(), clock, async (number) => {
        seen.push(number);
        if (number < 4) throw repeatable("40001");
        return "done";
      }),
      clock,
    );
    assert.equal(result, "done");
    assert.deepEqual(seen, [1, 2, 3, 4]);
  });

  it("gives up on endless conflicts with CONTENTION", async () => {
    const clock = fakeClock();
    let attempts = 0;
    await assert.rejects(
      drive(
        rerun(testCtx(), clock, async () => {
          attempts++;
          throw repeatable("40P01");
        }),
        clock,
      ),
      reasonOf("CONTENTION"),
    );
    assert.equal(attempts, 15);
  });

  it("gives up on a database that stays away with DB_UNAVAILABLE", async () => {
    const clock = fakeClock();
    let attempts = 0;
    await assert.rejects(
      drive(
        rerun(testCtx(), clock, async () => {
          attempts++;
          throw repeatable("57P01");
        }),
        clock,
      ),
      reasonOf("DB_UNAVAILABLE"),
    );
    assert.equal(attempts, 4);
  });

  it("passes any other error through at once", async () => {
    await assert.rejects(
      rerun(testCtx(), fakeClock(), async () => {
        throw CommonErrors.UNIMPLEMENTED({ what: "x" });
      }),
      reasonOf("UNIMPLEMENTED"),
    );
  });

  it("stops when the context is cancelled meanwhile", async () => {
    const controller = new AbortController();
    const ctx = testCtx({ signal: controller.signal });
    await assert.rejects(
      rerun(ctx, fakeClock(), async () => {
        controller.abort();
        throw repeatable("40001");
      }),
      reasonOf("CANCELLED"),
    );
  });

  it("does not wait beyond the deadline", async () => {
    const ctx = testCtx({ deadlineMs: Date.now() });
    await assert.rejects(
      rerun(ctx, fakeClock(), async () => {
        throw repeatable("40001");
      }),
      reasonOf("CONTENTION"),
    );
  });

  it("waits anywhere between nothing and a bound that doubles up to its cap", () => {
    assert.equal(
      backoffMs(1, () => 0),
      0,
    );
    assert.equal(
      backoffMs(1, () => 1),
      8,
    );
    assert.equal(
      backoffMs(3, () => 0.5),
      16,
    );
    assert.equal(
      backoffMs(14, () => 1),
      300,
    );
  });
});

describe("StatementNames", () => {
  it("names a text at its second use and keeps the name", () => {
    const names = new StatementNames();
    assert.equal(names.nameOf("select 1"), undefined);
    const name = names.nameOf("select 1");
    assert.notEqual(name, undefined);
    assert.equal(names.nameOf("select 1"), name);
    assert.equal(names.nameOf("select 2"), undefined);
    assert.notEqual(names.nameOf("select 2"), name);
  });

  it("stops naming when the server would hold too many plans", () => {
    const names = new StatementNames();
    for (let i = 0; i < 300; i++) {
      names.nameOf(`select ${i}`);
      names.nameOf(`select ${i}`);
    }
    assert.notEqual(names.nameOf("select 199"), undefined);
    assert.equal(names.nameOf("select 250"), undefined);
  });
});
