import assert from "node:assert/strict";
import { rulesOf as declaredBy } from "../../pkg/api/rights/declared-rules.js";
import { ruleDefaults } from "../../pkg/policy/index.js";
import type { RuleName } from "../../pkg/policy/index.js";
import { allRules, factOf } from "./facts.js";
import { nobodyAsks } from "./nobody-asks.js";
import { rpcExpected } from "./rpc-cases.js";
import { methods, rpcCases } from "./rpc-walk.js";
import { World } from "./world.js";
import { walk } from "./walk.js";

describe("policy of the public contract", () => {
  const world = new World();

  it("is expected of every served method, with every rule that it declares and no other", () => {
    const served = new Set<string>(
      world.api.service.bindings
        .flatMap((binding) => binding.methods)
        .filter((one) => one.served && one.allowedCallers.has("user"))
        .map(({ path }) => path.replace("/kilonova.api.v1.", "")),
    );
    const rulesOf = (method: string): string[] => [
      ...new Set(
        rpcExpected
          .filter((one) => one.method === method)
          .flatMap(({ needs, shows = [] }) => [...needs, ...shows]),
      ),
    ];
    assert.deepEqual([...new Set(rpcExpected.map(({ method }) => method))].sort(), [...served].sort());
    for (const method of served) {
      const found = methods.get(method);
      assert.ok(found !== undefined, method);
      assert.deepEqual(rulesOf(method).sort(), [...declaredBy(found.method)].sort(), method);
    }
  });

  it("has a method for every rule of Nova, or a reason why none asks it", () => {
    const declared = new Set([...methods.values()].flatMap(({ method }) => declaredBy(method)));
    const reasons = Object.keys(nobodyAsks);
    const reasonOf = (rule: string): string | undefined =>
      reasons.find((one) => rule === one || (one.endsWith(":") && rule.startsWith(one)));
    const undeclared = allRules.filter((rule) => !declared.has(rule));
    assert.deepEqual(
      undeclared.filter((rule) => reasonOf(rule) === undefined),
      [],
    );
    assert.deepEqual([...new Set(undeclared.map(reasonOf))].sort(), [...reasons].sort());
  });

  it("has the defaults of Nova", () => {
    const words = (rule: RuleName): string =>
      ruleDefaults[rule].check.replace(/^rule:(?:project_)?(\w+?)(?:_or_admin)?$/, "$1");
    const known: Readonly<Record<string, string>> = {
      context_is_admin: "admin",
      "@": "anyone",
      "!": "nobody",
      "(rule:context_is_admin) or user_id:%(user_id)s": "user",
    };
    for (const rule of allRules) {
      const { who, scopes } = factOf(rule);
      assert.deepEqual([known[words(rule)] ?? words(rule), ruleDefaults[rule].scopes], [who, scopes], rule);
    }
    const bases = Object.keys(ruleDefaults).length - allRules.length;
    assert.deepEqual([allRules.length, bases], [203, 11]);
  });

  walk(world, rpcCases);
});
