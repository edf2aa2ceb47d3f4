import assert from "node:assert/strict";
import { kindFactories } from "../../pkg/conductor/ops/index.gen.js";
import { catalogue } from "../../pkg/model/operation-catalogue.js";
import { rpcExpected } from "./rpc-cases.js";

describe("kinds of operations", () => {
  it("can each be cancelled by who may begin it, and that is walked", () => {
    const walked = rpcExpected
      .filter(({ method }) => method === "OperationsService/CancelOperation")
      .flatMap(({ needs }) => needs);
    assert.deepEqual(catalogue.all.map(({ rule }) => rule).sort(), [...walked].sort());
  });

  it("have steps in every declared version, unless they are done with their acceptance", () => {
    const made = kindFactories.map((make) => make({ ports: {}, maxAttempts: 1 } as never));
    assert.deepEqual(
      made.map(({ kind, version }) => `${kind} ${version}`).sort(),
      catalogue.all
        .filter(({ instant }) => instant === undefined)
        .flatMap(({ kind, versions }) => versions.map((version) => `${kind} ${version}`))
        .sort(),
    );
  });
});
