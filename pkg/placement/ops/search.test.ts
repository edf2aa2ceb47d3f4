import assert from "node:assert/strict";
import { KilonovaError } from "../../kernel/errors.js";
import type { PacedWork, Pacer } from "../../kernel/pacer.js";
import { createPacer } from "../../platform/process/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { aCandidateRequest, aGroup, aProvider, anIndex } from "../testing/builders.js";
import type { PlacementStore } from "../ports.js";
import { searchOps } from "./search.js";

/** Twelve children and groups that nearly fill them: far more work than any budget allows. */
const children = Array.from({ length: 12 }, (_, at) => aProvider(`h-${at}`, { VGPU: 100 }, { parent: "h" }));
const hard = aCandidateRequest(
  Array.from({ length: 36 }, (_, at) => aGroup(`_${at}`, { VGPU: 26 + ((at * 7919) % 15) })),
);
const noStore = (): never => assert.fail("standard names need no store");
const store: PlacementStore = { read: noStore, write: noStore, head: noStore, sweepTombstones: noStore };

const search = (pacer: Pacer, more: { maxSearchSteps?: number; providers?: typeof children } = {}) => {
  const index = anIndex(aProvider("h"), ...children, ...(more.providers ?? []));
  return searchOps(store, { fresh: async () => index }, pacer, {
    maxCandidates: 10,
    maxSearchSteps: more.maxSearchSteps ?? 20_000,
    maxSearchMs: 60_000,
  });
};

/** Runs work to its end and counts how often it let others go first. */
function countingPacer(): Pacer & { breaths(): number } {
  let breaths = 0;
  return {
    breaths: () => breaths,
    run: <T>(_signal: AbortSignal, work: (ranMs: () => number) => PacedWork<T>): T => {
      const job = work(() => 0);
      for (;;) {
        const step = job.next();
        if (step.done === true) return step.value;
        breaths++;
      }
    },
  };
}

describe("searching for candidates", () => {
  it("says that its budget ended, not that there is nothing", async () => {
    const pacer = countingPacer();
    await assert.rejects(
      search(pacer).candidates(testCtx(), hard),
      (error) =>
        error instanceof KilonovaError &&
        error.kind === "quota" &&
        error.reason === "SEARCH_BUDGET_EXHAUSTED",
    );
    assert.ok(pacer.breaths() > 100, "it lets others go first every few steps");
  });
  it("gives what it has found when its budget ends, and says that there may be more", async () => {
    const roomy = aProvider("z", { VGPU: 10_000 });
    const found = await search(countingPacer(), { providers: [roomy] }).candidates(testCtx(), hard);
    assert.deepEqual([found.candidates.map(({ rootId }) => rootId), found.incomplete], [["z"], true]);
    const easy = aCandidateRequest([aGroup("", { VGPU: 1 })], { limit: 2 });
    assert.equal((await search(countingPacer()).candidates(testCtx(), easy)).incomplete, false);
  });
  it("stops when its caller leaves, while the process goes on", async () => {
    const caller = new AbortController();
    const pacer = createPacer({ firstMs: 0, sliceMs: 1 });
    const running = search(pacer, { maxSearchSteps: 100_000_000 }).candidates(
      testCtx({ signal: caller.signal }),
      hard,
    );
    setTimeout(() => caller.abort(new Error("left")), 5);
    await assert.rejects(running, /left/);
  });
});
