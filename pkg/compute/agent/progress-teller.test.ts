import assert from "node:assert/strict";
import { OperationProgress } from "../../../gen/kilonova/type/v1/operation.js";
import { fakeClock } from "../../testkit/clock.js";
import { ProgressTeller } from "./progress-teller.js";

const at = (percent: number): OperationProgress => OperationProgress.fromPartial({ percent, phase: "p" });

function bench(answer: (percent: number) => Promise<boolean> = async () => true) {
  const clock = fakeClock();
  const sent: [atMs: number, percent: number][] = [];
  const teller = new ProgressTeller({
    clock,
    send: (progress) => {
      sent.push([clock.monotonicMs(), progress.percent]);
      return answer(progress.percent);
    },
  });
  return { clock, sent, teller };
}

describe("telling progress", () => {
  it("sends the last value once a second, the first after a second", async () => {
    const { clock, sent, teller } = bench();
    for (let percent = 1; percent <= 25; percent++) {
      teller.tell(at(percent));
      await clock.advance(100);
    }
    await clock.advance(5_000);
    assert.deepEqual(sent, [
      [1_000, 10],
      [2_000, 20],
      [3_000, 25],
    ]);
  });

  it("sends nothing of a command that is over within a second, nor after its end", async () => {
    const { clock, sent, teller } = bench();
    teller.tell(at(99));
    await clock.advance(900);
    teller.close();
    teller.tell(at(100));
    await clock.advance(5_000);
    assert.deepEqual(sent, []);
    assert.equal(clock.sleeping, 0);
  });

  it("sends one at a time, however long that takes, and never makes the work wait", async () => {
    let release = (): void => {};
    const slow = new Promise<boolean>((resolve) => {
      release = () => resolve(true);
    });
    const { clock, sent, teller } = bench((percent) => (percent === 1 ? slow : Promise.resolve(true)));
    teller.tell(at(1));
    await clock.advance(1_000);
    for (const percent of [2, 3, 4]) teller.tell(at(percent));
    await clock.advance(10_000);
    assert.deepEqual(sent, [[1_000, 1]]);
    release();
    await clock.advance(1_000);
    assert.deepEqual(sent.at(-1), [12_000, 4]);
  });

  it("tells again what failed or was not kept, unless there is news", async () => {
    let refusals = 2;
    const { clock, sent, teller } = bench(async () => {
      if (refusals-- > 1) throw new Error("the cell is away");
      return refusals < 0;
    });
    teller.tell(at(7));
    await clock.advance(2_500);
    teller.tell(at(8));
    await clock.advance(5_000);
    assert.deepEqual(
      sent.map(([, percent]) => percent),
      [7, 7, 8],
    );
  });

  it("goes on a second after it had fallen silent", async () => {
    const { clock, sent, teller } = bench();
    teller.tell(at(1));
    await clock.advance(10_000);
    teller.tell(at(2));
    await clock.advance(10_000);
    assert.deepEqual(sent, [
      [1_000, 1],
      [11_000, 2],
    ]);
  });
});
