import assert from "node:assert/strict";
import type { RuleName } from "../../pkg/policy/index.js";
import { MASTER, NOBODY, callers } from "./callers.js";
import type { Case, Outcome } from "./case.js";
import { allNeeds, expectedEnd, refusedBy } from "./case.js";
import { allRules } from "./facts.js";
import type { World } from "./world.js";

type Overrides = Readonly<Partial<Record<RuleName, string>>>;

const setTo = (rules: readonly RuleName[], check: string): Overrides =>
  Object.fromEntries(rules.map((rule) => [rule, check]));

/** Walks all cases: every caller against the table of facts, then every rule of every case overridden. */
export function walk(world: World, cases: readonly Case[]): void {
  const run = (one: Case, callerName: string, overrides: Overrides = {}): Promise<Outcome> => {
    world.reset({ ...one.given, ...overrides });
    return one.run(world, callerName);
  };

  for (const callerName of Object.keys(callers))
    it(`lets ${callerName} do what Nova would, and nothing else`, async () => {
      for (const one of cases)
        assert.equal((await run(one, callerName)).end, expectedEnd(one, callerName), one.name);
    });

  it("asks nothing that is not expected: all other rules may be forbidden", async () => {
    for (const one of cases) {
      const asked = [...allNeeds(one), ...(one.shows ?? [])];
      const others = allRules.filter((rule) => !asked.includes(rule));
      const usual = await run(one, MASTER);
      assert.equal(usual.end, "done", `${one.name}: ${usual.print}`);
      assert.deepEqual(await run(one, MASTER, setTo(others, "!")), usual, one.name);
    }
  });

  it("refuses by each rule that it needs when an operator forbids it", async () => {
    for (const one of cases)
      for (const rule of allNeeds(one))
        assert.equal((await run(one, MASTER, { [rule]: "!" })).end, refusedBy(rule), `${one.name}: ${rule}`);
  });

  it("shows something else by each rule that it shows by when an operator forbids it", async () => {
    for (const one of cases)
      for (const rule of one.shows ?? []) {
        const usual = await run(one, MASTER);
        const less = await run(one, MASTER, { [rule]: "!" });
        assert.equal(less.end, "done", `${one.name}: ${rule}`);
        assert.notEqual(less.print, usual.print, `${one.name} does not ask ${rule}`);
      }
  });

  it("lets everybody in where an operator opens the rules that it needs", async () => {
    for (const one of cases)
      assert.equal((await run(one, NOBODY, setTo(one.needs, "@"))).end, "done", one.name);
  });
}
