import assert from "node:assert/strict";
import { handOverScenario } from "./hand-over-scenario.js";
import { newPlace, pointsOf, runMatrix } from "./matrix.js";
import type { CrashAt } from "./protocol.js";
import { Ledger } from "./toy.ledger.js";
import { toyMoves } from "./toy.moves.js";

/** The statements that hand-overs of a kind write with, in their order, as an undisturbed run makes them. */
async function statementsOf(kind: string): Promise<string[]> {
  const place = await newPlace(handOverScenario, `${kind} learnt`);
  const seen: string[] = [];
  const world = await handOverScenario.open(place, {
    hit: async (under, statement, when) => {
      if (under === kind && when === "before" && statement.includes(" handover.")) seen.push(statement);
    },
  });
  await world.begin(kind, { failing: false, slow: false });
  await world.settled();
  await world.close();
  return seen;
}

/**
 * Kills the process before and after each statement of the kind's hand-overs, on both sides, and compares
 * what the next process makes of it with the undisturbed run.
 * @param expected  all statements, in their order
 */
export async function dieAtEachStatement(kind: string, expected: readonly string[]): Promise<void> {
  assert.deepEqual(await statementsOf(kind), expected);
  const points = expected.flatMap((statement, index) => {
    const nth = expected.slice(0, index + 1).filter((one) => one === statement).length;
    return (["before", "after"] as const).map((when): CrashAt => ({ kind, step: statement, when, nth }));
  });
  assert.equal(await runMatrix(handOverScenario, points, false, () => {}), expected.length * 2);
}

/** As `dieAtEachStatement`, at each commit of a step. */
export async function dieAtEachStep(kind: string): Promise<void> {
  const kinds = toyMoves(new Ledger("/dev/null"), { forgetKept: async () => ({}) });
  const points = pointsOf(kinds.filter((one) => one.kind === kind));
  assert.equal(await runMatrix(handOverScenario, points, false, () => {}), points.length);
}
