import assert from "node:assert/strict";
import { CommonErrors, KilonovaError, remainingMs } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { CellGuard } from "./guard.js";

const times = { cellTimeoutMs: 10_000, downCellTimeoutMs: 300 };
const silence = (): Promise<never> => Promise.reject(CommonErrors.UNAVAILABLE({ what: "cell1" }));

describe("CellGuard", () => {
  it("spends much time on a cell's first silence, little on later ones, and much again after an answer", async () => {
    const guard = new CellGuard(times);
    const budgets: number[] = [];
    const attempt = async (answer: () => Promise<string>): Promise<void> => {
      await guard
        .call(testCtx(), "cell1", (ctx) => {
          budgets.push(remainingMs(ctx));
          return answer();
        })
        .catch(() => {});
    };
    for (const answer of [silence, silence, () => Promise.resolve("here"), silence]) await attempt(answer);
    assert.deepEqual(
      budgets.map((budget) => budget > times.downCellTimeoutMs),
      [true, false, false, true],
    );
  });

  it("keeps cells apart and names those that were silent", async () => {
    const guard = new CellGuard(times);
    const { answers, unreachable } = await guard.fanOut(testCtx(), ["cell1", "cell2"], (_ctx, database) =>
      database === "cell1" ? silence() : Promise.resolve(database),
    );
    assert.deepEqual([answers, unreachable], [[{ database: "cell2", value: "cell2" }], ["cell1"]]);
    assert.deepEqual([guard.isDown("cell1"), guard.isDown("cell2")], [true, false]);
  });

  for (const [domain, reason, kind] of [
    ["db", "TIMEOUT", "deadline"],
    ["db", "CONTENTION", "unavailable"],
    ["rpc", "OVERLOADED", "unavailable"],
    ["cells", "LIST_TOO_EXPENSIVE", "invalid"],
    ["cells", "TOO_MANY_LISTS", "quota"],
  ] as const) {
    it(`takes ${domain} ${reason} for an answer: what one request costs marks no cell down`, async () => {
      const guard = new CellGuard(times);
      const fail = (): Promise<never> =>
        Promise.reject(new KilonovaError({ kind, domain, reason, message: "no" }));
      await assert.rejects(guard.call(testCtx(), "cell1", fail), { reason });
      await assert.rejects(guard.fanOut(testCtx(), ["cell1"], fail), { reason });
      assert.equal(guard.isDown("cell1"), false);
    });
  }

  it("learns nothing from a caller who had less time than a cell is given", async () => {
    const guard = new CellGuard({ cellTimeoutMs: 10_000, downCellTimeoutMs: 300 });
    const hurried = testCtx({ deadlineMs: Date.now() + 20 });
    await assert.rejects(
      guard.call(hurried, "cell1", () => new Promise(() => {})),
      { kind: "deadline" },
    );
    assert.equal(guard.isDown("cell1"), false);
    const patient = new CellGuard({ cellTimeoutMs: 100, downCellTimeoutMs: 10 });
    await assert.rejects(
      patient.call(testCtx(), "cell1", () => new Promise(() => {})),
      { kind: "deadline" },
    );
    assert.equal(patient.isDown("cell1"), true);
  });

  it("counts a refusal as an answer, and throws it", async () => {
    const guard = new CellGuard(times);
    await guard.call(testCtx(), "cell1", silence).catch(() => {});
    await assert.rejects(
      guard.fanOut(testCtx(), ["cell1"], () =>
        Promise.reject(CommonErrors.INVALID_ARGUMENT({ field: "f", problem: "no" })),
      ),
    );
    assert.equal(guard.isDown("cell1"), false);
  });
});
