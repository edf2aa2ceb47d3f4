import assert from "node:assert/strict";
import { CommonErrors, remainingMs } from "../../kernel/index.js";
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
