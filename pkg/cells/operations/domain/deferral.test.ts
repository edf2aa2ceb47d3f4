import assert from "node:assert/strict";
import { AcceptOperationRequest } from "../../../../gen/kilonova/cells/v1/instances_service.js";
import { ServerHostInfo } from "../../../../gen/kilonova/type/v1/server.js";
import { OperationCatalogue } from "../../../model/operation-catalogue.js";
import { anyOperation } from "../../../model/operation-declaration.js";
import { aDeclaration } from "../../../model/testing/a-declaration.js";
import { aServer } from "../../testing/records.js";
import { deferredOr } from "./deferral.js";

describe("a deletion that can be taken back", () => {
  const operations = new OperationCatalogue([
    anyOperation(aDeclaration("test.end", { deferral: "test.hide" })),
    anyOperation(aDeclaration("test.hide", { versions: [1, 2] })),
    anyOperation(aDeclaration("test.stop")),
  ]);
  const asked = AcceptOperationRequest.fromPartial({
    kind: "test.end",
    kindVersion: 1,
    input: Buffer.from("for good"),
    deferrable: true,
    method: "DeleteServer",
  });
  const server = aServer({ id: "s", hostInfo: ServerHostInfo.fromPartial({ host: "h" }) });
  const of = (over: Partial<AcceptOperationRequest> = {}, of = server, reclaimIntervalS = 60) =>
    deferredOr({ operations, reclaimIntervalS }, { ...asked, ...over }, of);

  it("takes the place of one for good, in its newest version and with nothing to work with", () => {
    const { request, declaration } = of();
    assert.deepEqual([request.kind, request.kindVersion, request.input.length], ["test.hide", 2, 0]);
    assert.equal(request.method, "DeleteServer");
    assert.equal(declaration.kind, "test.hide");
  });

  for (const [what, accepting] of [
    ["the deployment keeps nothing", () => of({}, server, 0)],
    ["it is asked for for good", () => of({ deferrable: false })],
    ["the server never was active", () => of({}, { ...server, launchedAt: undefined })],
    ["it has no host", () => of({}, { ...server, hostInfo: undefined })],
    ["its kind is not deferred", () => of({ kind: "test.stop" })],
  ] as const)
    it(`takes no place when ${what}`, () => {
      const { request, declaration } = accepting();
      assert.equal(declaration.kind, request.kind);
      assert.notEqual(request.kind, "test.hide");
      assert.deepEqual(request.input, asked.input);
    });
});
