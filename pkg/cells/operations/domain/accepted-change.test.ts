import assert from "node:assert/strict";
import { InstanceChange, InstanceRecord } from "../../../../gen/kilonova/cells/v1/instance_change.js";
import { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { anyOperation } from "../../../model/operation-declaration.js";
import type { OperationDeclaration } from "../../../model/operation-declaration.js";
import { aDeclaration, aForm } from "../../../model/testing/a-declaration.js";
import { NO_ROWS } from "../../servers/domain/plan-change.js";
import { serverOf } from "../../servers/domain/records.js";
import { ACCEPTED_AT } from "../../testing/an-operation.js";
import { aServer } from "../../testing/records.js";
import { acceptedOperation, acceptedServer } from "./accepted-change.js";
import type { Acceptance } from "./accepted-change.js";
import { AT_ONCE } from "./lanes.js";

const acceptance = (over: Partial<OperationDeclaration<string>>): Acceptance => ({
  request: AcceptOperationRequest.fromPartial({ serverId: "s", kind: "test.kind", kindVersion: 1 }),
  declaration: anyOperation(aDeclaration("test.kind", over)),
  form: aForm,
  record: InstanceRecord.fromPartial({ server: aServer({ id: "s", projectId: "theirs", generation: 4n }) }),
  owner: "operations/s/other",
  id: "o",
  change: InstanceChange.fromPartial({ server: { name: "renamed" }, updateMask: ["name"] }),
  known: NO_ROWS,
  numbers: [],
});
const after = (over: Partial<OperationDeclaration<string>>) =>
  serverOf(acceptedServer(acceptance(over), ACCEPTED_AT, () => "new")?.record ?? assert.fail("no change"));

describe("a server after an acceptance", () => {
  it("is the new operation's in the lane life", () => {
    const { name, generation, currentOperation } = after({});
    assert.deepEqual([name, generation, currentOperation], ["renamed", 5n, "operations/s/o"]);
  });
  it("stays whose it was beside life, and for what is done at once", () => {
    assert.equal(after({ lane: "volumes" }).currentOperation, "operations/s/other");
    assert.equal(after({ instant: () => ({}) }).currentOperation, "operations/s/other");
  });
  it("is as it was when nothing of it changes", () => {
    const same = { ...acceptance({}), change: undefined };
    assert.equal(
      acceptedServer(same, ACCEPTED_AT, () => "new"),
      undefined,
    );
  });
  it("has an operation of its own project, whoever asks", () => {
    const given = { requestId: "req-1", secrets: null };
    const row = acceptedOperation(acceptance({}), AT_ONCE, given, ACCEPTED_AT);
    assert.deepEqual([row.id, row.server_id, row.project_id], ["o", "s", "theirs"]);
  });
});
