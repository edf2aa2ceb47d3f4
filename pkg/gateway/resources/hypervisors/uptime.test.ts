import assert from "node:assert/strict";
import { Hypervisor } from "../../../../gen/kilonova/api/v1/hosts_service.js";
import { startTestGateway } from "../../testing/test-gateway.js";
import type { TestGateway } from "../../testing/test-gateway.js";

describe("the uptime of a hypervisor", () => {
  let gateway: TestGateway;
  let hypervisor: Hypervisor;
  before(async () => {
    gateway = await startTestGateway({ hypervisors: { getHypervisor: async () => ({ hypervisor }) } });
  });
  after(() => gateway.close());

  for (const [what, up, uptime, old, shown] of [
    ["is what the host told last", true, " 12:00:00 up 3 days", 200, " 12:00:00 up 3 days"],
    ["is bad to ask for of one that is down", false, undefined, 400, null],
    ["is not there where the driver cannot tell", true, undefined, 501, null],
  ] as const)
    it(what, async () => {
      hypervisor = Hypervisor.fromPartial({
        id: "7c5c1d8e-0000-4000-8000-000000000001",
        number: 7n,
        hypervisorHostname: "h1",
        service: { host: "h1", up },
        uptime,
      });
      const { status } = await gateway.ask("/v2.1/os-hypervisors/7/uptime", {
        method: "GET",
        token: "admin",
        version: "2.1",
      });
      assert.equal(status, old);
      const full = await gateway.ask(`/v2.1/os-hypervisors/${hypervisor.id}`, {
        method: "GET",
        token: "admin",
        version: "2.88",
      });
      gateway.calls.length = 0;
      assert.equal((JSON.parse(full.text) as { hypervisor: { uptime: unknown } }).hypervisor.uptime, shown);
    });
});
