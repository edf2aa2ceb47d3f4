import assert from "node:assert/strict";
import { MigrationKind } from "../../gen/kilonova/cells/v1/server_records.js";
import { declareOperation, declareSubjectOperation, subjectOf } from "./operation-declaration.js";
import { aDeclaration, aForm, subjectDeclaration } from "./testing/a-declaration.js";

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
    ["that takes nothing over and joins", { forms: { plain: { ...aForm, joins: ["test.other"] } } }],
    [
      "that takes over in another lane and joins",
      { ...beside, forms: { plain: { ...aForm, contention: "pre-empts", joins: ["test.other"] } } },
    ],
    ["that takes nothing over and yields", { forms: { plain: { ...aForm, yieldsTo: ["test.other"] } } }],
    ["that is alone beside life", { ...beside, forms: { plain: { ...aForm, alone: true } } }],
    [
      "that is alone and takes over all lanes",
      { forms: { plain: { ...aForm, contention: "pre-empts-all", alone: true } } },
    ],
    [
      "that is instant and moves the server",
      {
        instant: () => undefined,
        event: "e",
        migration: () => ({ kind: MigrationKind.MIGRATION_KIND_RESIZE }),
      },
    ],
    [
      "that is instant and leads a migration on",
      { instant: () => undefined, event: "e", endsMigration: () => "m" },
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

  it("is about a server unless it says otherwise", () => {
    assert.equal(subjectOf(aDeclaration("test.kind")), "server");
    assert.equal(subjectOf(declareSubjectOperation(subjectDeclaration("test.kind", "host"))), "host");
  });
  const ofHost = {
    subject: "host",
    action: "",
    lane: "images",
    forms: { plain: aForm },
    formOf: () => "plain",
  } as const;
  for (const [what, declaration] of [
    ["of a host in the lane life", { ...ofHost, lane: "life" }],
    ["of a host that ends in a server's state", { ...ofHost, ends: [1] }],
    ["of a host with an instance action", { ...ofHost, action: "stop" }],
    ["of a host that is instant", { ...ofHost, instant: () => undefined, event: "e" }],
    ["of the cloud that asks for a capability", { ...ofHost, subject: "cloud", capability: "pause" }],
  ] as const)
    it(`${what} is refused`, () =>
      assert.throws(() => declareOperation(aDeclaration("test.kind", declaration))));
});
