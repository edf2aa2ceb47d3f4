import { Actor } from "../../../gen/kilonova/type/v1/actor.js";
import { anyOperation } from "../../model/operation-declaration.js";
import { aDeclaration } from "../../model/testing/a-declaration.js";
import { AT_ONCE } from "../operations/domain/lanes.js";
import { newOperation } from "../operations/domain/new-operation.js";
import type { OperationRow } from "../operations/domain/rows.js";

/** When it was accepted. */
export const ACCEPTED_AT = 1_767_225_600_000_000n;

/** An operation on the server "s" that has just been accepted, with what the case needs on top. */
export const anOperation = (over: Partial<OperationRow> = {}): OperationRow => ({
  ...newOperation(
    {
      id: "o",
      subject: { kind: "server", id: "s" },
      projectId: "project",
      declaration: anyOperation(aDeclaration("test.kind")),
      request: {
        kind: "test.kind",
        kindVersion: 1,
        actor: Actor.fromPartial({ userId: "asker", projectId: "project" }),
        traceparent: "",
        input: Buffer.from("input"),
      },
      requestId: "req-1",
      secrets: null,
      place: AT_ONCE,
    },
    ACCEPTED_AT,
  ),
  ...over,
});
