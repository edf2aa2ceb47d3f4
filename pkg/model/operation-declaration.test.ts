import assert from "node:assert/strict";
import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";
import { declareOperation } from "./operation-declaration.js";
import { aDeclaration, aForm } from "./testing/a-declaration.js";

describe("a declaration", () => {
  const beside = { lane: "volumes", formOf: () => "plain" } as const;
  for (const [what, declaration] of [
    ["that waits in the lane life", { forms: { plain: { ...aForm, contention: "waits" } } }],
    [
      "that takes over all lanes from beside",
      { ...beside, forms: { plain: { ...aForm, contention: "pre-empts-all" } } },
    ],
    ["with a task state beside life", { ...beside, forms: { plain: { ...aForm, taskState: "attaching" } } }],
    [
      "that is instant beside life",
      { ...beside, forms: { plain: aForm }, instant: () => undefined, event: "e" },
    ],
    [
      "that takes quota beside life",
      { ...beside, forms: { plain: aForm }, quota: () => ({ instances: 1, cores: 1, ram: 1 }) },
    ],
    [
      "that is instant and moves the server",
      {
        instant: () => undefined,
        event: "e",
        migration: () => ({ kind: MigrationKind.MIGRATION_KIND_RESIZE }),
      },
    ],
  ] as const)
    it(`${what} is refused`, () =>
      assert.throws(() => declareOperation(aDeclaration("test.kind", declaration))));

  it("may wait in another lane", () =>
    assert.equal(
      declareOperation(
        aDeclaration("test.kind", { ...beside, forms: { plain: { ...aForm, contention: "waits" } } }),
      ).lane,
      "volumes",
    ));
});
