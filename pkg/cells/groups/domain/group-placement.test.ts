import assert from "node:assert/strict";
import { mayBeAt } from "./group-placement.js";

const at = (host: string, cell = "cell1") => ({ cell, host });

describe("mayBeAt", () => {
  for (const [what, policy, max, others, expected] of [
    ["affinity lets the first be anywhere", "affinity", 1, [], true],
    ["affinity keeps them on one host", "affinity", 1, [at("a"), at("a")], true],
    ["affinity refuses another host", "affinity", 1, [at("b")], false],
    ["affinity tells hosts of two cells apart", "affinity", 1, [at("a", "cell2")], false],
    ["anti-affinity refuses a host with a member", "anti-affinity", 1, [at("a")], false],
    ["anti-affinity allows as many as its rule", "anti-affinity", 2, [at("a"), at("b"), at("b")], true],
    ["anti-affinity refuses more than its rule", "anti-affinity", 2, [at("a"), at("a")], false],
    ["anti-affinity tells hosts of two cells apart", "anti-affinity", 1, [at("a", "cell2")], true],
    ["soft policies refuse nothing", "soft-anti-affinity", 1, [at("a")], true],
  ] as const)
    it(what, () => assert.equal(mayBeAt(policy, max, at("a"), others), expected));
});
