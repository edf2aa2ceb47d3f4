import assert from "node:assert/strict";
import { HostsServiceDefinition } from "../../../../gen/kilonova/cells/v1/hosts_service.js";
import { rootCtx } from "../../../kernel/index.js";
import { bindPart } from "../../../platform/rpc/index.js";
import { agentsOwn } from "./agents-own.js";

describe("an agent without a cell of its own", () => {
  it("speaks for no cell, not even for one without a name", async () => {
    let reached = 0;
    const bound = agentsOwn(
      bindPart(HostsServiceDefinition, {
        reportGuest: async () => {
          reached++;
          return { mustStop: false, fence: 0n };
        },
      }),
      async () => {},
    );
    const method = bound.methods.find((one) => one.method === "ReportGuest");
    assert.ok(method);
    const ctx = { ...rootCtx({ requestId: "req-agent" }), peer: { service: "compute", host: "h1" } };
    const request = { cell: "", host: "h1" };
    await assert.rejects(async () => method.handler(ctx, request), { reason: "WRONG_CELL" });
    assert.equal(reached, 0);
  });
});
