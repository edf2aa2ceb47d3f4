import assert from "node:assert/strict";
import { kindFactories } from "../../pkg/conductor/ops/index.gen.js";
import { ruleOfKind } from "../../pkg/api/domain/operation-rules.js";
import { rpcExpected } from "./rpc-cases.js";
import { KINDS } from "./world.js";

describe("kinds of operations", () => {
  it("can each be cancelled by who may begin it, and that is walked", () => {
    const kinds = kindFactories.map((make) => make({ ports: {}, maxAttempts: 1 } as never).kind).sort();
    assert.deepEqual(kinds, KINDS.map((kind) => `server.${kind}`).sort());
    const walked = rpcExpected
      .filter(({ method }) => method === "OperationsService/CancelOperation")
      .flatMap(({ needs }) => needs);
    assert.deepEqual(kinds.map(ruleOfKind).sort(), [...walked].sort());
  });

  it("have no rule by accident: an unknown one can be cancelled by nobody", () => {
    assert.throws(() => ruleOfKind("server.explode"), /no policy rule is known/);
  });
});
