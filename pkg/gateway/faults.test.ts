import assert from "node:assert/strict";
import { CommonErrors, errorKinds, KilonovaError } from "../kernel/index.js";
import { GatewayErrors } from "./errors.js";
import { faultBody, faultOf } from "./faults.js";

const of = (kind: (typeof errorKinds)[number]): KilonovaError =>
  new KilonovaError({ kind, domain: "test", reason: "R", message: "text" });

describe("gateway: faults", () => {
  it("gives every kind a status and a key", () => {
    const told = Object.fromEntries(
      errorKinds.map((kind) => [
        kind,
        `${faultOf(of(kind), "req-1").status} ${faultOf(of(kind), "req-1").key}`,
      ]),
    );
    assert.deepEqual(told, {
      invalid: "400 badRequest",
      unauthenticated: "401 unauthorized",
      forbidden: "403 forbidden",
      missing: "404 itemNotFound",
      exists: "409 conflictingRequest",
      conflict: "409 conflictingRequest",
      refused: "409 conflictingRequest",
      quota: "403 forbidden",
      unsupported: "501 notImplemented",
      unavailable: "503 serviceUnavailable",
      deadline: "504 computeFault",
      cancelled: "499 computeFault",
      internal: "500 computeFault",
    });
  });

  it("knows the statuses that differ, and only for the gateway's own reasons", () => {
    assert.equal(faultOf(GatewayErrors.API_REMOVED({}), "req-1").status, 410);
    assert.equal(
      faultOf(
        new KilonovaError({ kind: "missing", domain: "api", reason: "API_REMOVED", message: "" }),
        "req-1",
      ).status,
      404,
    );
  });

  it("says when to come again, where that helps", () => {
    const tooMany = new KilonovaError({
      kind: "quota",
      domain: "sharing",
      reason: "R",
      message: "text",
      facts: { retryAfterMs: "1500" },
    });
    const fault = faultOf(tooMany, "req-1");
    assert.equal(fault.status, 429);
    assert.deepEqual(JSON.parse(faultBody(fault)), {
      overLimit: { code: 429, message: "text", retryAfter: "2" },
    });
  });

  it("keeps causes to itself and tells the request id instead", () => {
    const fault = faultOf(CommonErrors.INTERNAL({}, { cause: new Error("password=hunter2") }), "req-1");
    assert.match(fault.message, /^Unexpected API Error\..*req-1/);
    assert.doesNotMatch(faultBody(fault), /hunter2/);
    assert.deepEqual(Object.keys(JSON.parse(faultBody(fault)) as object), ["computeFault"]);
  });
});
