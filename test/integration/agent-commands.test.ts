import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { AgentServiceDefinition } from "../../gen/kilonova/compute/v1/agent_service.js";
import type { OperationProgress } from "../../gen/kilonova/type/v1/operation.js";
import { Operation, OperationState } from "../../gen/kilonova/type/v1/operation.js";
import { PowerState, VmState } from "../../gen/kilonova/type/v1/server.js";
import { fakeNeutron } from "../../pkg/clients/neutron/testing/fake-neutron.js";
import { sql } from "../../pkg/cells/store/sql.js";
import { isLive } from "../../pkg/model/operation-states.js";
import { testCtx } from "../../pkg/testkit/ctx.js";
import { testCluster } from "../../pkg/testkit/postgres.js";
import { until } from "../../pkg/testkit/until.js";
import { processFolder } from "../../pkg/testkit/scratch.js";
import type { Cloud } from "../crash/cloud.js";
import { migrateCloud, openCloud, schemasOf } from "../crash/cloud.js";
import { act, boot, ended, operationOf, serverOf } from "../crash/requests.js";

const HOST = "a";

/** Commands to agents, from the conductor to the driver and back to whoever looks at the operation. */
describe("commands to agents", () => {
  let cloud: Cloud;
  before(async () => {
    const { connection } = await testCluster();
    const schemas = schemasOf(`commands_${process.pid}`);
    await migrateCloud(connection, schemas);
    cloud = await openCloud({
      connection,
      schemas,
      folder: processFolder("commands"),
      hosts: [HOST],
      neutron: fakeNeutron(),
      conductor: { agentWaitMs: 200 },
    });
  });
  after(() => cloud.close());
  afterEach(() => script([]));

  const script = (rules: { method: string; delayMs?: number; failReason?: string; times?: number }[]) =>
    cloud.agent(HOST, "operator").scriptFakeDriver(testCtx(), { host: HOST, rules });
  const operation = async (name: string) =>
    (await cloud.operations.getStoredOperation(testCtx(), { name })).operation ?? assert.fail("none");
  const operationsEnd = (name: string) =>
    until(async () => {
      const found = await operation(name);
      return !isLive(found.state) && found;
    });
  const cancel = (name: string) => cloud.operations.requestCancel(testCtx(), { database: "", name });
  const active = async () => {
    const id = randomUUID();
    await boot(cloud, { ids: [id] });
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    return id;
  };
  const guest = (serverId: string) =>
    cloud.agent(HOST, "conductor").inspectGuest(testCtx(), { host: HOST, serverId });
  const starts = async (serverId: string): Promise<number> => {
    const { output } = await cloud
      .channel("api", `agent:${HOST}`)
      .client(AgentServiceDefinition)
      .getConsoleLog(testCtx(), { host: HOST, serverId });
    return output.toString().split("login:").length - 1;
  };

  it("show how far a build is, on the operation and the server, until it ends", async () => {
    const id = randomUUID();
    await script([{ method: "define", delayMs: 4_500 }]);
    const { operations } = await boot(cloud, { ids: [id] });
    const name = operations[0]?.name ?? "";
    const seen: { readonly progress: OperationProgress; readonly ofServer: number }[] = [];
    await until(
      async () => {
        const { progress, state } = await operation(name);
        const { progress: ofServer } = await serverOf(cloud, id);
        // Only when no report came between the reads must the server show the same.
        const same = progress?.percent === (await operation(name)).progress?.percent;
        if (progress !== undefined && same) seen.push({ progress, ofServer });
        return !isLive(state);
      },
      { timeoutMs: 60_000, what: "the boot's end" },
    );
    for (const { progress, ofServer } of seen) {
      assert.equal(progress.phase, "disks");
      assert.equal(progress.total, 1024n ** 3n);
      assert.equal(progress.percent, 90 + Number((progress.done * 10n) / progress.total));
      assert.equal(ofServer, progress.percent);
    }
    const told = [...new Set(seen.map(({ progress }) => progress.percent))];
    assert.ok(told.length >= 2, `seen: ${told.join()}`);
    assert.deepEqual(
      told,
      told.toSorted((a, b) => a - b),
    );
    const built = await serverOf(cloud, id);
    assert.deepEqual([built.vmState, built.progress], [VmState.VM_STATE_ACTIVE, 0]);
    assert.equal((await operation(name)).progress, undefined);
    const cell = cloud.stores.find((store) => store.name === "cell1") ?? assert.fail();
    const { rows } = await cell.db.statement(testCtx(), "test.fed", (db) =>
      sql<{
        payload: Buffer;
      }>`SELECT payload FROM ${cell.t.outbox} WHERE entity_id = ${name.split("/")[2] ?? ""}`.execute(db),
    );
    const fed = rows.map(({ payload }) => Operation.decode(payload).progress?.percent);
    assert.ok(told.every((percent) => fed.includes(percent)));
  });

  it("are stopped when their operation is cancelled, and do nothing afterwards", async () => {
    const id = await active();
    assert.equal(await starts(id), 1);
    await script([{ method: "reboot", delayMs: 4_000 }]);
    const { name } = await act(cloud, id, operationOf("server.reboot"));
    await until(async () => (await operation(name)).state === OperationState.OPERATION_STATE_PARKED);
    await cancel(name);
    const cancelled = await operationsEnd(name);
    assert.equal(cancelled.state, OperationState.OPERATION_STATE_CANCELLED);
    assert.deepEqual((await ended(cloud, id)).vmState, VmState.VM_STATE_ACTIVE);
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    assert.equal(await starts(id), 1, "the guest was not restarted");
    await script([]);
    const again = await act(cloud, id, operationOf("server.reboot"));
    assert.equal((await operationsEnd(again.name)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.equal(await starts(id), 2);
  });

  it("take a cancelled build back, whose guest is gone then", async () => {
    const id = randomUUID();
    await script([{ method: "powerOn", delayMs: 60_000 }]);
    const { operations } = await boot(cloud, { ids: [id] });
    const name = operations[0]?.name ?? "";
    await until(async () => (await guest(id)).defined && (await operation(name)).waitingFor !== "");
    await cancel(name);
    assert.equal((await operationsEnd(name)).state, OperationState.OPERATION_STATE_CANCELLED);
    assert.equal((await guest(id)).defined, false);
  });

  it("are let finish where half of them would be worse, and the operation with them", async () => {
    const id = await active();
    await script([{ method: "setAdminPassword", delayMs: 4_000 }]);
    const { name } = await act(cloud, id, operationOf("server.change-password"));
    await until(async () => (await operation(name)).state === OperationState.OPERATION_STATE_PARKED);
    await cancel(name);
    assert.equal((await operationsEnd(name)).state, OperationState.OPERATION_STATE_SUCCEEDED);
    assert.equal((await guest(id)).powerState, PowerState.POWER_STATE_RUNNING);
  });

  it("are asked again when a deletion's removal fails, until it is done", async () => {
    const id = await active();
    await script([{ method: "remove", failReason: "BUSY", times: 1 }]);
    await act(cloud, id, operationOf("server.delete"));
    assert.equal((await ended(cloud, id)).vmState, VmState.VM_STATE_DELETED);
    assert.equal((await guest(id)).defined, false);
  });
});
