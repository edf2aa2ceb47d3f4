import assert from "node:assert/strict";
import { fakeClock } from "../../testkit/clock.js";
import { Generations, TERM_MS } from "./generations.js";
import type { Position } from "./resume-token.js";

const at = (revision: bigint, incarnation = "i"): Position => ({ incarnation, revision });

/** A watch's memory, the feeds that it reads, and how far it read them. */
function aWatch() {
  const clock = fakeClock();
  const heads = new Map<string, Position | undefined>([
    ["global", at(5n)],
    ["cell1", at(5n)],
  ]);
  const positions = new Map([
    ["global", at(5n)],
    ["cell1", at(5n)],
  ]);
  const generations = new Generations(clock);
  const forget = (): void => generations.forget(positions, (database) => heads.get(database));
  const pass = async (terms = 1): Promise<void> => {
    for (let i = 0; i < terms; i++) {
      await clock.advance(TERM_MS);
      forget();
    }
  };
  return { clock, heads, positions, generations, pass };
}

describe("generations that a watch remembers", () => {
  it("tells each state once and in order", () => {
    const { generations } = aWatch();
    assert.equal(generations.admit("a", 2n, true), true);
    assert.equal(generations.admit("a", 2n, true), false);
    assert.equal(generations.admit("a", 1n, false), false);
    assert.equal(generations.admit("a", 3n, true), true);
  });

  it("forgets what was told two terms ago, when nothing older can come", async () => {
    const { generations, pass } = aWatch();
    generations.admit("a", 2n, true);
    await pass(2);
    assert.equal(generations.admit("a", 2n, true), false, "in the next term it is still known");
    assert.equal(generations.size, 1);
    await pass(1);
    assert.equal(generations.size, 0);
  });

  it("forgets nothing while one feed was not read to where it was", async () => {
    const { generations, heads, positions, pass } = aWatch();
    generations.admit("a", 2n, true);
    heads.set("global", at(9n));
    await pass(5);
    assert.equal(generations.admit("a", 1n, false), false);
    positions.set("global", at(9n));
    await pass(3);
    assert.equal(generations.size, 0);
  });

  it("forgets nothing while a feed is silent, or has another life than what was read", async () => {
    const { generations, heads, pass } = aWatch();
    generations.admit("a", 2n, true);
    heads.set("cell1", undefined);
    await pass(5);
    assert.equal(generations.size, 1);
    heads.set("cell1", at(1n, "another"));
    await pass(5);
    assert.equal(generations.size, 1);
  });

  it("remembers a bounded number", () => {
    const { generations } = aWatch();
    for (let i = 0; i < 250_000; i++) generations.admit(`s${i}`, 1n, false);
    assert.ok(generations.size <= 100_000, `${generations.size} remembered`);
    assert.equal(generations.admit("s249999", 1n, false), false);
  });

  it("costs next to nothing before something is told", () => {
    const clock = fakeClock();
    const held = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = held();
    const thousand = Array.from({ length: 1_000 }, () => new Generations(clock));
    const grown = held() - before;
    assert.ok(grown < 10 * 2 ** 20, `${thousand.length} watches' memories take ${grown} bytes`);
  });
});
