import assert from "node:assert/strict";
import { rootCtx } from "../../kernel/index.js";
import { SharedWork } from "./shared-work.js";

const caller = () => {
  const controller = new AbortController();
  return { controller, ctx: rootCtx({ requestId: "req-1", signal: controller.signal }) };
};

describe("shared work", () => {
  it("runs once for all who ask meanwhile, and again afterwards", async () => {
    const work = new SharedWork<number>();
    let runs = 0;
    let finish = (): void => {};
    const task = async (): Promise<number> => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return ++runs;
    };
    const all = [1, 2, 3].map(() => work.run(caller().ctx, "k", task));
    finish();
    assert.deepEqual(await Promise.all(all), [1, 1, 1]);
    const again = work.run(caller().ctx, "k", task);
    finish();
    assert.equal(await again, 2);
  });

  it("goes on when one of two gives up, and is cancelled when both have", async () => {
    const work = new SharedWork<number>();
    const [one, two] = [caller(), caller()];
    let signal: AbortSignal | undefined;
    const task = (ctx: { signal: AbortSignal }): Promise<number> =>
      new Promise((_, reject) => {
        signal = ctx.signal;
        ctx.signal.addEventListener("abort", () => reject(new Error("cancelled")));
      });
    const [first, second] = [work.run(one.ctx, "k", task), work.run(two.ctx, "k", task)];
    one.controller.abort(new Error("one left"));
    await assert.rejects(first, /one left/);
    assert.equal(signal?.aborted, false);
    two.controller.abort(new Error("two left"));
    await assert.rejects(second, /two left/);
    assert.equal(signal?.aborted, true);
  });

  it("fails for all who wait, and starts anew for the next", async () => {
    const work = new SharedWork<number>();
    const failing = async (): Promise<number> => {
      throw new Error("no");
    };
    await Promise.all([1, 2].map(() => assert.rejects(work.run(caller().ctx, "k", failing), /no/)));
    assert.equal(await work.run(caller().ctx, "k", async () => 5), 5);
  });

  it("tells all who wait how far it is, late comers from where it is", async () => {
    const work = new SharedWork<number, number>();
    let tell = (_percent: number): void => {};
    let finish = (): void => {};
    const task = async (_ctx: unknown, all: (percent: number) => void): Promise<number> => {
      tell = all;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return 1;
    };
    const heard: Record<string, number[]> = { first: [], late: [], gone: [] };
    const hear = (who: string) => (percent: number) => void heard[who]?.push(percent);
    const gone = caller();
    const first = work.run(caller().ctx, "k", task, hear("first"));
    const left = work.run(gone.ctx, "k", task, hear("gone"));
    tell(10);
    gone.controller.abort(new Error("left"));
    await assert.rejects(left, /left/);
    const late = work.run(caller().ctx, "k", task, hear("late"));
    tell(20);
    finish();
    await Promise.all([first, late]);
    assert.deepEqual(heard, { first: [10, 20], late: [10, 20], gone: [10] });
  });
});
