import assert from "node:assert/strict";
import type { RegisterHostRequest, ReportHostRequest } from "../../../gen/kilonova/cells/v1/hosts_service.js";
import { CommonErrors } from "../../kernel/index.js";
import { testCtx } from "../../testkit/ctx.js";
import { FakeDriver } from "../drivers/fake/index.js";
import { Registration } from "./registration.js";

/** An agent whose driver measures something else each time, and a cell that writes down what it hears. */
function aRegistration() {
  const registered: RegisterHostRequest[] = [];
  const reported: ReportHostRequest[] = [];
  const cell = { generation: 1n, older: false, placementAway: false };
  const driver = new FakeDriver({ hostname: "h" });
  const registration = new Registration({
    host: "h",
    cell: "cell1",
    zone: "nova",
    address: "agent:h",
    driver,
    reserved: { vcpus: 0, memoryMib: 0, diskGib: 0 },
    ratios: { cpu: 4, memory: 1, disk: 1 },
    cells: {
      registerHost: async (_ctx, request) => {
        registered.push(request as RegisterHostRequest);
        if (cell.placementAway) throw CommonErrors.UNAVAILABLE({ what: "placement" });
        return {
          epoch: 7n,
          serviceId: "s",
          computeNodeId: "n",
          disabled: false,
          serviceGeneration: cell.generation,
        };
      },
      reportHost: async (_ctx, request) => {
        if (cell.older) throw CommonErrors.UNIMPLEMENTED({ what: "ReportHost" });
        reported.push(request as ReportHostRequest);
        return { serviceGeneration: cell.generation };
      },
    },
  });
  return {
    driver,
    cell,
    registered,
    reported,
    registration,
    /** So many audits. @returns registrations and reports since */
    audits: async (count: number): Promise<readonly [registrations: number, reports: number]> => {
      const [before, told] = [registered.length, reported.length];
      for (let audit = 0; audit < count; audit++) await registration.audit(testCtx());
      return [registered.length - before, reported.length - told];
    },
  };
}

describe("an agent's registration", () => {
  it("registers once, then only tells its telemetry, and registers again every fifth audit", async () => {
    const { audits, registered, reported, registration } = aRegistration();
    assert.deepEqual(await audits(5), [1, 4]);
    assert.deepEqual(await audits(5), [1, 4]);
    assert.deepEqual(
      registered.map(({ epoch }) => epoch),
      [0n, 7n],
    );
    assert.equal(registration.epoch, 7n);
    assert.ok(reported.every(({ epoch, telemetry }) => epoch === 7n && telemetry?.uptime !== ""));
    assert.notEqual(reported[0]?.telemetry?.diskFreeGib, reported[1]?.telemetry?.diskFreeGib);
    assert.deepEqual(
      registered.map(({ node }) => [node?.uptime, node?.diskAvailableLeastGib]),
      [
        ["", 0n],
        ["", 0n],
      ],
      "nothing that changes all the time is in the record",
    );
  });
  it("registers at once what has changed", async () => {
    const { audits, driver, registered } = aRegistration();
    await audits(1);
    driver.setInventory({ memoryMib: 1024 });
    assert.deepEqual(await audits(2), [1, 1]);
    assert.equal(registered.at(-1)?.node?.memoryMib, 1024n);
  });
  it("registers when somebody has changed or removed its record", async () => {
    const { audits, cell } = aRegistration();
    await audits(1);
    cell.generation = 2n;
    assert.deepEqual(await audits(2), [1, 2]);
  });
  it("registers until placement has it too", async () => {
    const { audits, cell } = aRegistration();
    cell.placementAway = true;
    await assert.rejects(audits(1));
    cell.placementAway = false;
    assert.deepEqual(await audits(2), [1, 1]);
  });
  it("registers at each audit in a cell of the version before", async () => {
    const { audits, cell } = aRegistration();
    cell.older = true;
    assert.deepEqual(await audits(3), [3, 0]);
  });
});
