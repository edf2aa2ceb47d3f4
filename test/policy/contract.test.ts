import assert from "node:assert/strict";
import { policyRules } from "../../pkg/platform/rpc/index.js";
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
        .filter((one) => one.served)
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
      assert.deepEqual(rulesOf(method).sort(), [...policyRules(found.method)].sort(), method);
    }
  });

  walk(world, rpcCases);
});
