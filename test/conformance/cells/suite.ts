import { acceptance } from "./scenarios/acceptance.js";
import { consoleTokens } from "./scenarios/console-tokens.js";
import { deferral } from "./scenarios/deferral.js";
import { resets } from "./scenarios/resets.js";
import { cutShort } from "./scenarios/cut-short.js";
import { claims } from "./scenarios/claims.js";
import { operationLists } from "./scenarios/operation-lists.js";
import { serverRows } from "./scenarios/server-rows.js";
import { shown } from "./scenarios/shown.js";
import { subjects } from "./scenarios/subjects.js";
import { catalogueScenarios } from "./scenarios/catalogue.js";
import { feeds } from "./scenarios/feeds.js";
import { groupScenarios } from "./scenarios/groups.js";
import { hostScenarios } from "./scenarios/hosts.js";
import { lanes } from "./scenarios/lanes.js";
import { lists } from "./scenarios/lists.js";
import { moves } from "./scenarios/moves.js";
import { operationScenarios } from "./scenarios/operations.js";
import { progress } from "./scenarios/progress.js";
import { records } from "./scenarios/records.js";
import type { Scenario } from "./stage.js";
import { Stage } from "./stage.js";
import type { CellsWorld } from "./world.js";

const ROOMS: Readonly<Record<string, readonly Scenario[]>> = {
  acceptance,
  records,
  lists,
  operations: operationScenarios,
  progress,
  lanes,
  catalogue: catalogueScenarios,
  "operations of hosts and of the cloud": subjects,
  "lists of operations": operationLists,
  "what operations show": shown,
  "claims on quota": claims,
  "what ends from outside": cutShort,
  "deletions that can be taken back": deferral,
  "resets of the state": resets,
  "moves to another host": moves,
  "rows of servers": serverRows,
  groups: groupScenarios,
  hosts: hostScenarios,
  "tokens of consoles": consoleTokens,
  feeds,
};

/** Declares the table of scenarios as tests of one implementation of cells. */
export function cellsConformance(what: string, open: () => Promise<CellsWorld>): void {
  describe(`cells conformance: ${what}`, () => {
    let world: CellsWorld;
    before(async () => {
      world = await open();
    });
    after(() => world.close());
    for (const [room, scenarios] of Object.entries(ROOMS))
      describe(room, () => {
        for (const { name, run } of scenarios) it(name, () => run(new Stage(world)));
      });
  });
}
