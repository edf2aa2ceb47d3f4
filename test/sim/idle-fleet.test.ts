import assert from "node:assert/strict";
import { sql } from "../../pkg/cells/store/sql.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { until } from "../../pkg/testkit/until.js";
import { startCellsService } from "../integration/support/cells-service.js";
import type { CellsUnderTest } from "../integration/support/cells-service.js";
import type { FakeFleet } from "./fake-fleet.js";
import { startFakeFleet } from "./fake-fleet.js";

const HOSTS = 50;

/** All that feeds and caches read of hosts. */
async function fedRecords({ store }: CellsUnderTest) {
  const rows = async <R>(statement: ReturnType<typeof sql<R>>): Promise<readonly R[]> =>
    (await store.db.statement(testCtx(), "test", (db) => statement.execute(db))).rows;
  return {
    services: await rows(sql`SELECT * FROM ${store.t.service} ORDER BY number`),
    nodes: await rows(sql`SELECT id, generation, body FROM ${store.t.compute_node} ORDER BY number`),
    outbox: await rows(
      sql<{ entity_kind: string }>`SELECT entity_kind FROM ${store.t.outbox} ORDER BY entity_kind`,
    ),
  };
}

async function telemetryOf({ hosts }: CellsUnderTest) {
  const { nodes, services } = await hosts.listHosts(testCtx(), { cell: "cell1" });
  return new Map(
    nodes.map(({ host, diskAvailableLeastGib, uptime }) => [
      host,
      {
        disk: diskAvailableLeastGib,
        uptime,
        seen: services.find((service) => service.host === host)?.lastSeenAt?.seconds ?? 0n,
      },
    ]),
  );
}

describe(`an idle fleet of ${HOSTS} hosts whose telemetry changes all the time`, function () {
  this.timeout(180_000);
  let s: CellsUnderTest;
  let fleet: FakeFleet;
  before(async () => {
    s = await startCellsService();
    fleet = await startFakeFleet({
      count: HOSTS,
      auditIntervalMs: 200,
      connect: (host) => s.as("compute", host),
    });
  });
  after(async () => {
    await fleet.close();
    await s.close();
  });

  it("writes no outbox row and moves no generation, while operators see its telemetry move", async () => {
    const before = await fedRecords(s);
    const registrations = s.synced.length;
    assert.deepEqual([before.services.length, before.nodes.length], [HOSTS, HOSTS]);
    const first = await telemetryOf(s);
    // Until each has told anew, and some have registered again although nothing had changed.
    await until(
      async () => {
        const now = await telemetryOf(s);
        return (
          s.synced.length >= registrations + HOSTS &&
          [...now].every(([host, { disk, seen }]) => {
            const was = first.get(host);
            return was !== undefined && disk !== was.disk && seen > was.seen;
          })
        );
      },
      { timeoutMs: 120_000, what: "telemetry of all hosts" },
    );
    for (const { uptime } of (await telemetryOf(s)).values()) assert.match(uptime, / up .+ load average: /);
    assert.deepEqual(await fedRecords(s), before);
  });

  it("tells of the one host that has changed, once", async () => {
    const before = await fedRecords(s);
    const [changed] = fleet.hosts;
    assert.ok(changed);
    changed.driver.setInventory({ vcpus: 65 });
    const after = await until(async () => {
      const now = await fedRecords(s);
      return now.outbox.length > before.outbox.length ? now : undefined;
    });
    assert.equal(after?.outbox.length, before.outbox.length + 1);
    const { nodes } = await s.hosts.listHosts(testCtx(), { cell: "cell1", recordsOnly: true });
    assert.deepEqual(
      nodes
        .filter(({ vcpus }) => vcpus === 65)
        .map(({ host, uptime, diskAvailableLeastGib }) => [host, uptime, diskAvailableLeastGib]),
      [[changed.name, "", 0n]],
    );
  });

  it("hears of an operator's change at its next audit, and tells placement again", async () => {
    const { services } = await s.hosts.listHosts(testCtx(), { cell: "cell1", servicesOnly: true });
    const [service] = services;
    assert.ok(service);
    await s.hosts.updateHostService(testCtx(), { cell: "cell1", serviceId: service.id, disabled: true });
    const told = s.synced.length;
    await until(() =>
      s.synced
        .slice(told)
        .some(({ root }) => root?.name === service.host && root.traits.includes("COMPUTE_STATUS_DISABLED")),
    );
  });
});
