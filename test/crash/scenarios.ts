import { cloudScenario, movedScenario, offloadedScenario, volumesScenario } from "./cloud-scenario.js";
import { handOverScenario } from "./hand-over-scenario.js";
import type { Scenario } from "./scenario.js";
import { toyScenario } from "./toy-scenario.js";

/** Installations that a child can open. */
export const scenarios: ReadonlyMap<string, Scenario> = new Map(
  [toyScenario, cloudScenario, movedScenario, offloadedScenario, volumesScenario, handOverScenario].map(
    (one) => [one.name, one],
  ),
);
