import assert from "node:assert/strict";
import { commands } from "../../pkg/compute/commands/index.gen.js";
import { kindFactories } from "../../pkg/conductor/ops/index.gen.js";
import { catalogue } from "../../pkg/model/operation-catalogue.js";
import { rpcExpected } from "./rpc-cases.js";

const made = kindFactories.map((make) => make({ ports: {}, maxAttempts: 1 } as never));

describe("kinds of operations", () => {
  it("can each be cancelled by who may begin it, and that is walked", () => {
    const walked = rpcExpected
      .filter(({ method }) => method === "OperationsService/CancelOperation")
      .flatMap(({ needs }) => needs);
    assert.deepEqual(catalogue.all.map(({ rule }) => rule).sort(), [...walked].sort());
  });

  it("ask the host for what their steps need, and for nothing that no driver has", () => {
    const offered = commands.flatMap(({ capability }) => capability?.name ?? []);
    for (const { kind, capability } of catalogue.all) {
      const steps = made.filter((one) => one.kind === kind).flatMap((one) => one.steps);
      const needed = new Set(steps.flatMap(({ needs }) => needs ?? []));
      assert.deepEqual([...needed], capability === undefined ? [] : [capability], kind);
      assert.ok(capability === undefined || offered.includes(capability), kind);
    }
  });

  it("have steps in every declared version, unless they are done with their acceptance", () => {
    assert.deepEqual(
      made.map(({ kind, version }) => `${kind} ${version}`).sort(),
      catalogue.all
        .filter(({ instant }) => instant === undefined)
        .flatMap(({ kind, versions }) => versions.map((version) => `${kind} ${version}`))
        .sort(),
    );
  });
});
